import android.content.res.AssetManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import org.json.JSONArray
import org.json.JSONObject

/** What a signature made of an image: see `PhotoEdit.layOn`. */
class Layer(val image: FloatArray, val mask: FloatArray)

/** What `segment` sees: the soft mask, and the one cut at the stored threshold. */
class Segmentation(val mask: FloatArray, val binary: FloatArray)

/**
 * The signatures of one .tflite file. Images are float32 (1, size, size, 3), RGB in
 * [0, 1], row by row, the three channels of a pixel together; masks (1, size, size, 1).
 * Where the file has signatures of detail, they are the ones that are run.
 *
 * Not safe to call from two threads at once: the buffers are kept and reused.
 */
class FaceEditor(assets: AssetManager, file: String, threads: Int = 2) : AutoCloseable {
    private val model = CompiledModel.create(
        assets,
        file,
        CompiledModel.Options(Accelerator.CPU).apply {
            cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
        }
    )
    private val told = JSONObject(
        requireNotNull(Metadata.of(assets.open(file).use { it.readBytes() })) {
            "$file does not tell its framing. Export the model anew. Received: no mbu_tf.json"
        }
    )
    private val detailed = !told.isNull("detail_size")

    /** Height and width of the images. */
    val size: Int = told.getInt(if (detailed) "detail_size" else "image_size")

    /** Where a face has its eyes in the square, for `Placement.face`; null: the centre square. */
    val eyes: List<Point>? = told.getJSONObject("framing").let { framing ->
        if (framing.getString("kind") == "centre") null
        else listOf("left_eye", "right_eye").map { point(framing.getJSONArray(it)) }
    }

    private val transfer = Signature("transfer", listOf("target", "reference"), listOf("image", "mask"))
    private val remove = Signature("remove", listOf("image"), listOf("image", "mask"))
    private val segment = Signature("segment", listOf("image"), listOf("mask", "binary"))

    fun transfer(target: FloatArray, reference: FloatArray): Layer {
        val (image, mask) = transfer.run(target, reference)
        return Layer(image, mask)
    }

    fun remove(image: FloatArray): Layer {
        val (painted, mask) = remove.run(image)
        return Layer(painted, mask)
    }

    fun segment(image: FloatArray): Segmentation {
        val (mask, binary) = segment.run(image)
        return Segmentation(mask, binary)
    }

    private fun point(values: JSONArray) = Point(values.getDouble(0), values.getDouble(1))

    override fun close() {
        listOf(transfer, remove, segment).forEach { it.close() }
        model.close()
    }

    /** One signature with its buffers, by name: their order in the file is not stable. */
    private inner class Signature(edit: String, inputs: List<String>, outputs: List<String>) {
        private val name = if (detailed) "${edit}_detail" else edit
        val inputs: Map<String, TensorBuffer> =
            inputs.associateWith { model.createInputBuffer(inputName = it, signature = name) }
        val outputs: Map<String, TensorBuffer> =
            outputs.associateWith { model.createOutputBuffer(outputName = it, signature = name) }

        fun run(vararg images: FloatArray): List<FloatArray> {
            inputs.values.zip(images).forEach { (buffer, image) -> buffer.writeFloat(image) }
            model.run(inputs, outputs, name)
            return outputs.values.map { it.readFloat() }
        }

        fun close() = (inputs.values + outputs.values).forEach { it.close() }
    }
}
