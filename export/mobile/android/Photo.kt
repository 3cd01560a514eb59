/**
 * A photo's pixels as Android has them, 0xAARRGGBB each, sRGB and not multiplied by alpha.
 *
 * A model is shown `shown`, and what it makes is laid on `colours`: see `PhotoEdit`.
 */
class Photo(val argb: IntArray, val width: Int, val height: Int) {
    /** Bytes 0 to 255, RGB, row by row, without regard to transparency. */
    val colours: IntArray get() = bytes { colour, _ -> colour }

    /** The same as they are seen on white. */
    val shown: IntArray
        get() = bytes { colour, alpha -> (colour * alpha + 255 * (255 - alpha) + 127) / 255 }

    /** This photo with other colours, bytes as `colours` are, and as transparent as it is. */
    fun with(colours: IntArray) = Photo(
        IntArray(argb.size) {
            val (red, green, blue) = List(3) { c -> colours[3 * it + c] }
            (argb[it] and (255 shl 24)) or (red shl 16) or (green shl 8) or blue
        },
        width,
        height
    )

    private inline fun bytes(of: (Int, Int) -> Int): IntArray {
        val made = IntArray(3 * argb.size)
        for (i in argb.indices) for (c in 0 until 3) {
            made[3 * i + c] = of((argb[i] shr (16 - 8 * c)) and 255, argb[i] ushr 24)
        }
        return made
    }

    companion object {
        /** A file's few bytes may declare any number of pixels: more are not decoded. */
        const val MAX_PIXELS = 100_000_000L

        /** Throws `IllegalArgumentException` for a photo of so many pixels, by its header. */
        fun checkSize(width: Int, height: Int) = require(width.toLong() * height <= MAX_PIXELS) {
            "The photo has over ${MAX_PIXELS / 1_000_000} megapixels. Shrink it. " +
                "Received: $width x $height pixels"
        }
    }
}
