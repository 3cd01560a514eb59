import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.ImageDecoder

/** Photo files, from Android 9 (API 28) on. */
object PhotoFile {
    /**
     * A file's photo: turned upright by the decoder, a profile's colours in sRGB, with its
     * transparency.
     *
     * Throws `IllegalArgumentException` for more pixels than `Photo.MAX_PIXELS`, before any is
     * decoded, and `IOException` for what is no image.
     */
    fun read(source: ImageDecoder.Source): Photo {
        val bitmap = ImageDecoder.decodeBitmap(source) { decoder, info, _ ->
            Photo.checkSize(info.size.width, info.size.height)
            decoder.setTargetColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
            decoder.isUnpremultipliedRequired = true
        }
        val argb = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(argb, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        return Photo(argb, bitmap.width, bitmap.height)
    }

    /** A photo as a bitmap, to be shown or compressed. */
    fun bitmap(photo: Photo): Bitmap =
        Bitmap.createBitmap(photo.argb, photo.width, photo.height, Bitmap.Config.ARGB_8888)
}
