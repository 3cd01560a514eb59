import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.hypot
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/** A point, in pixels of a photo or in shares of a square's side. */
class Point(val x: Double, val y: Double)

/** Floats that lie in a photo with their upper left corner at (left, top), row by row. */
class Laid(val left: Int, val top: Int, val width: Int, val values: FloatArray)

/**
 * A square in a photo, at any turn: its upper left corner is at (x, y), and from there to
 * its upper right corner it is (right, down), in pixels of the photo; (0, 0) is the outer
 * corner of the first.
 */
class Placement(val x: Double, val y: Double, val right: Double, val down: Double) {
    private val side = hypot(right, down)

    /** The side in whole pixels. */
    val pixels = max(1, round(side).toInt())

    /**
     * The square upright at the photo's own scale, (pixels, pixels, 3), bytes 0 to 255: bilinear,
     * and mirrored beyond the photo's edges.
     */
    fun upright(photo: IntArray, width: Int, height: Int): DoubleArray {
        val (left, top, right, bottom) = bounds()
        val columns = mirrored(left - 1, right + 1, width)
        val rows = mirrored(top - 1, bottom + 1, height)
        val a = this.right / pixels
        val b = down / pixels
        val square = DoubleArray(pixels * pixels * 3)
        for (j in 0 until pixels) for (i in 0 until pixels) {
            val fromX = a * (i + 0.5) - b * (j + 0.5) + (x - (left - 1)) - 0.5
            val fromY = b * (i + 0.5) + a * (j + 0.5) + (y - (top - 1)) - 0.5
            val column = floor(fromX).toInt()
            val row = floor(fromY).toInt()
            for (c in 0 until 3) {
                val value = between(fromX - column, fromY - row) { right, down ->
                    photo[(rows[row + down] * width + columns[column + right]) * 3 + c].toFloat()
                }
                square[(j * pixels + i) * 3 + c] = round(value.toDouble())
            }
        }
        return square
    }

    /** A channel (pixels, pixels) of the square as it lies in the photo, 0 outside the square. */
    fun back(channel: FloatArray, width: Int, height: Int): Laid {
        val box = bounds()
        val (left, right) = listOf(box[0], box[2]).map { it.coerceIn(0, width) }
        val (top, bottom) = listOf(box[1], box[3]).map { it.coerceIn(0, height) }
        val square = side * side
        val a = this.right * pixels / square
        val b = -down * pixels / square
        val u = (left - x) / square
        val v = (top - y) / square
        val startX = (u * this.right + v * down) * pixels
        val startY = (v * this.right - u * down) * pixels
        val values = FloatArray((right - left) * (bottom - top))
        val last = pixels - 1
        for (j in 0 until bottom - top) for (i in 0 until right - left) {
            val inX = a * (i + 0.5) - b * (j + 0.5) + startX
            val inY = b * (i + 0.5) + a * (j + 0.5) + startY
            if (inX < 0 || inX >= pixels || inY < 0 || inY >= pixels) continue
            val column = floor(inX - 0.5).toInt()
            val row = floor(inY - 0.5).toInt()
            values[j * (right - left) + i] =
                between(inX - 0.5 - column, inY - 0.5 - row) { right, down ->
                    val y = (row + down).coerceIn(0, last)
                    channel[y * pixels + (column + right).coerceIn(0, last)]
                }
        }
        return Laid(left, top, right - left, values)
    }

    /** Whole pixels around the square: left, top, right, bottom. */
    private fun bounds(): List<Int> {
        val xs = listOf(x, x + right, x - down, x + right - down).sorted()
        val ys = listOf(y, y + down, y + right, y + down + right).sorted()
        return listOf(floor(xs[0]), floor(ys[0]), ceil(xs[3]), ceil(ys[3])).map { it.toInt() }
    }

    companion object {
        /** The largest centred square of a photo. */
        fun centre(width: Int, height: Int): Placement {
            val side = min(width, height)
            return Placement(
                ((width - side) / 2).toDouble(), ((height - side) / 2).toDouble(), side.toDouble(), 0.0
            )
        }

        /**
         * The square in which a face has its eyes where the model wants them.
         *
         * `eyes` are the face's in pixels of the photo, that first which is left when the face
         * is upright; `places` are theirs in the square, `left_eye` and `right_eye` of the
         * model's framing.
         */
        fun face(eyes: List<Point>, places: List<Point>): Placement {
            val (eye, other) = eyes
            val (place, end) = places
            val across = end.x - place.x
            val along = end.y - place.y
            val square = across * across + along * along
            val right = ((other.x - eye.x) * across + (other.y - eye.y) * along) / square
            val down = ((other.y - eye.y) * across - (other.x - eye.x) * along) / square
            return Placement(
                eye.x - (place.x * right - place.y * down),
                eye.y - (place.x * down + place.y * right),
                right, down
            )
        }

        /** Positions `start` to `end` along a row of `size` pixels that is mirrored at its ends. */
        private fun mirrored(start: Int, end: Int, size: Int) = IntArray(end - start) {
            abs(Math.floorMod(start + it + size, 2 * size) - size + 0.5).toInt()
        }

        /** Between four neighbours, so far to the right and down; differences are floats. */
        private inline fun between(right: Double, down: Double, at: (Int, Int) -> Float): Float {
            val upper = at(0, 0) + (at(1, 0) - at(0, 0)).toDouble() * right
            val lower = at(0, 1) + (at(1, 1) - at(0, 1)).toDouble() * right
            return (upper + (lower - upper) * down).toFloat()
        }
    }
}
