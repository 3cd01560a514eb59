import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Runs PhotoEdit on the cases of the file args[0], see test_android.py, and writes to args[1];
 * prints what is said of too many pixels, and the metadata of the models args[2], ….
 */
fun main(args: Array<String>) {
    val given = ByteBuffer.wrap(File(args[0]).readBytes()).order(ByteOrder.LITTLE_ENDIAN)
    val made = ByteArrayOutputStream()
    fun floats(count: Int) = FloatArray(count) { given.float }
    fun points() = List(2) { Point(given.double, given.double) }
    fun write(bytes: Int, put: ByteBuffer.() -> Unit) =
        made.write(ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN).apply(put).array())
    while (given.hasRemaining()) {
        val (height, width, size, face) = List(4) { given.int }
        val place =
            if (face == 1) Placement.face(points(), points()) else Placement.centre(width, height)
        val photo = Photo(IntArray(height * width) { given.int }, width, height)
        val image = floats(size * size * 3)
        val mask = floats(size * size)
        write(32) { listOf(place.x, place.y, place.right, place.down).forEach { putDouble(it) } }
        val input = PhotoEdit.modelInput(photo.shown, width, height, place, size)
        write(4 * input.size) { input.forEach { putFloat(it) } }
        val laid = PhotoEdit.layOn(photo.colours, width, height, place, input, image, mask, size)
        write(4 * height * width) { photo.with(laid).argb.forEach { putInt(it) } }
    }
    File(args[1]).writeBytes(made.toByteArray())
    println(runCatching { Photo.checkSize(10_001, 10_000) }.exceptionOrNull()?.message)
    Photo.checkSize(10_000, 10_000)
    args.drop(2).forEach { println(Metadata.of(File(it).readBytes())) }
}
