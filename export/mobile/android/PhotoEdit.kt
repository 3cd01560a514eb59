import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import kotlin.math.sign
import kotlin.math.truncate

/**
 * Edits of photos of any size, at their own resolution: what edit_photo.py does, to the bit.
 *
 * Photos are bytes 0 to 255, RGB, row by row, the three channels of a pixel together.
 */
object PhotoEdit {
    /** Soft masks fade out slowly; what is fainter than this is left untouched. */
    const val MASK_FLOOR = 0.05

    /** A square of a photo as the model takes it: floats in [0, 1], (1, size, size, 3). */
    fun modelInput(
        photo: IntArray, width: Int, height: Int, place: Placement, size: Int
    ): FloatArray {
        val square = place.upright(photo, width, height)
        val filter = Filter(place.pixels, size, 2.0, ::cubic).inFixedPoint()
        val rows = filter.along(square, place.pixels, 3) { max(0.0, min(255.0, floor(it + 0.5))) }
        val small = filter.along(rows, 1, size * 3) { max(0.0, min(255.0, floor(it + 0.5))) }
        return FloatArray(small.size) { (small[it] / 255).toFloat() }
    }

    /**
     * The model's edit of a square laid on the photo: pixels outside the mask stay its own.
     *
     * `input` is what `modelInput` gave. Where a mask of 0 and 1 alone, such as `remove`'s,
     * reaches, enlarged, the paint covers, so that no outline of the content is left.
     */
    fun layOn(
        photo: IntArray, width: Int, height: Int, place: Placement,
        input: FloatArray, image: FloatArray, mask: FloatArray, size: Int
    ): IntArray {
        val opaque = mask.all { it == 0f || it == 1f }
        val whole = place.back(enlarged(mask, size, place.pixels), width, height)
        val paint = (0 until 3).map { c ->
            // What the model put on its input, times the mask: outside it there is none.
            val channel = FloatArray(size * size) {
                (image[3 * it + c] - (1.0 - mask[it]) * input[3 * it + c]).toFloat()
            }
            place.back(enlarged(channel, size, place.pixels), width, height).values
        }
        val edited = photo.copyOf()
        for (i in whole.values.indices) {
            val share = whole.values[i].toDouble()
            if (share < MASK_FLOOR) continue
            val gain = if (opaque) 255 / share else 255.0
            val kept = if (opaque) 0.0 else 1 - share
            val row = whole.top + i / whole.width
            val at = (row * width + whole.left + i % whole.width) * 3
            for (c in 0 until 3) {
                val blended = gain * paint[c][i] + kept * photo[at + c]
                edited[at + c] = max(0.0, min(255.0, round(blended))).toInt()
            }
        }
        return edited
    }

    /** A float channel (size, size) resized to (side, side), bilinear. */
    fun enlarged(channel: FloatArray, size: Int, side: Int): FloatArray {
        val filter = Filter(size, side, 1.0) { max(1 - abs(it), 0.0) }
        val values = DoubleArray(channel.size) { channel[it].toDouble() }
        val rows = filter.along(values, size, 1) { it.toFloat().toDouble() }
        val all = filter.along(rows, 1, side) { it }
        return FloatArray(all.size) { all[it].toFloat() }
    }

    /** Catmull-Rom's cubic, which reaches two samples to either side. */
    private fun cubic(x: Double): Double {
        val d = abs(x)
        if (d < 1) return (1.5 * d - 2.5) * d * d + 1
        return if (d < 2) ((2.5 - 0.5 * d) * d - 4) * d + 2 else 0.0
    }
}

/** Which samples, of `from`, make each of `to` samples, and with what weights. */
private class Filter(val from: Int, val to: Int, reach: Double, curve: (Double) -> Double) {
    private val starts = IntArray(to)
    private val weights: Array<DoubleArray>

    init {
        val scale = from.toDouble() / to
        val stretch = max(scale, 1.0)
        weights = Array(to) { i ->
            val center = (i + 0.5) * scale
            val start = max(truncate(center - reach * stretch + 0.5).toInt(), 0)
            val end = min(truncate(center + reach * stretch + 0.5).toInt(), from)
            starts[i] = start
            val raw = DoubleArray(end - start) { curve((it + start - center + 0.5) * (1 / stretch)) }
            val sum = raw.sum()
            DoubleArray(raw.size) { raw[it] / sum }
        }
    }

    /** 8-bit pictures are weighted by multiples of 2^-22. */
    fun inFixedPoint(): Filter {
        val unit = (1 shl 22).toDouble()
        for (row in weights) {
            for (k in row.indices) row[k] = truncate(row[k] * unit + sign(row[k]) * 0.5) / unit
        }
        return this
    }

    /** `source`, seen as (outer, from, inner), filtered along its middle axis. */
    fun along(
        source: DoubleArray, outer: Int, inner: Int, store: (Double) -> Double
    ): DoubleArray {
        val target = DoubleArray(outer * to * inner)
        var at = 0
        for (o in 0 until outer) for (i in 0 until to) for (c in 0 until inner) {
            var sum = 0.0
            for (k in weights[i].indices) {
                sum += source[(o * from + starts[i] + k) * inner + c] * weights[i][k]
            }
            target[at++] = store(sum)
        }
        return target
    }
}
