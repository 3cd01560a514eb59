import java.nio.ByteBuffer
import java.nio.ByteOrder

/** What an exported model tells of itself beside its signatures. */
object Metadata {
    private const val END = 0x06054b50
    private const val END_LENGTH = 22
    private const val ENTRY = 0x02014b50

    /**
     * The text of `mbu_tf.json`, stored in a ZIP archive behind the model; null if there is none,
     * and the model is of the centre square. It is JSON: `image_size`, and `framing` with its
     * `kind`, `centre` or `face`, and of a face `left_eye` and `right_eye`, [u, v] each.
     */
    fun of(model: ByteArray): String? {
        val bytes = ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN)
        fun short(at: Int) = bytes.getShort(at).toInt() and 0xffff
        val last = model.size - END_LENGTH
        // The record ends with the length of the comment behind it.
        val end = (last downTo maxOf(0, last - 0xffff)).firstOrNull {
            bytes.getInt(it) == END && short(it + 20) == last - it
        } ?: return null
        var at = bytes.getInt(end + 16)
        repeat(short(end + 10)) {
            if (bytes.getInt(at) != ENTRY) return null
            val name = String(model, at + 46, short(at + 28))
            if (name == "mbu_tf.json" && short(at + 10) == 0) {
                val local = bytes.getInt(at + 42)
                val start = local + 30 + short(local + 26) + short(local + 28)
                return String(model, start, bytes.getInt(at + 24))
            }
            at += 46 + short(at + 28) + short(at + 30) + short(at + 32)
        }
        return null
    }
}
