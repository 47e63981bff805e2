using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Streaming.Encoders.Onnx;
using Streaming.Formats.Inputs;

namespace Streaming.Encoders.Pictures;

/// <summary>Encodes pictures by an ONNX model into vectors of length 1.</summary>
public sealed class PictureEncoder : IDisposable
{
    private readonly OnnxModel _model;
    private readonly PictureReader _reader;
    private readonly string _input;
    private readonly string _output;
    private readonly int _height;
    private readonly int _width;
    private readonly bool _isSingle;

    /// <summary>Loads a model and tries it.</summary>
    /// <param name="options">Options.</param>
    /// <param name="threads">Threads, 1 and up.</param>
    /// <exception cref="InputFileException">The file is missing or not what it should be.</exception>
    /// <exception cref="EncoderLibraryException">A native library cannot be loaded.</exception>
    public PictureEncoder(PictureEncoderOptions options, int threads)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Size, PictureEncoderOptions.SmallestSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Size, PictureEncoderOptions.LargestSize);
        _model = OnnxModel.Load(options.Model, threads);
        try
        {
            (_input, int[] shape) = CheckInput();
            _isSingle = shape[0] == 1;
            _height = shape[2] > 0 ? shape[2] : options.Size;
            _width = shape[3] > 0 ? shape[3] : options.Size;
            _output = _model.Output(options.Output);
            Length = Encode([new float[PixelCount]])[0].Length;
            Fingerprint = FormattableString.Invariant($"picture {_model.Fingerprint()} {_output} {options.Pixels.Name} {_height} {_width}");
            _reader = new PictureReader(_width, _height, options.Pixels);
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    /// <summary>Gets the number of values of a vector.</summary>
    public int Length { get; }

    /// <summary>Gets a text that is another for every model and option that changes vectors.</summary>
    public string Fingerprint { get; }

    private int PixelCount => 3 * _height * _width;

    /// <summary>Decodes a picture for <see cref="Encode"/>.</summary>
    /// <param name="file">The bytes of the file.</param>
    /// <param name="pixels">The model's input; null if the picture cannot be used.</param>
    /// <returns>Why the picture cannot be used; null: it can.</returns>
    public string? Read(byte[] file, out float[]? pixels)
    {
        pixels = new float[PixelCount];
        string? problem = _reader.Read(file, pixels);
        pixels = problem is null ? pixels : null;
        return problem;
    }

    /// <summary>Encodes pictures.</summary>
    /// <param name="pictures">Of <see cref="Read"/>, 1 and more.</param>
    /// <returns>A vector of length 1 for each.</returns>
    public float[][] Encode(IReadOnlyList<float[]> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        int batch = _isSingle ? 1 : pictures.Count;
        return [.. pictures.Chunk(batch).SelectMany(EncodeAtOnce)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _model.Dispose();
        _reader.Dispose();
    }

    private float[][] EncodeAtOnce(float[][] pictures)
    {
        float[] pixels = pictures.Length == 1 ? pictures[0] : [.. pictures.SelectMany(static picture => picture)];
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [pictures.Length, 3, _height, _width]);
        using IDisposableReadOnlyCollection<OrtValue> outputs = _model.Run(new Dictionary<string, OrtValue> { [_input] = input }, _output);
        long[] shape = outputs[0].GetTensorTypeAndShape().Shape;
        long length = shape.Aggregate(1L, static (product, size) => product * size) / pictures.Length;
        if (shape.Length < 2 || shape[0] != pictures.Length || length is < 1 || length > UnitVectors.MaxLength)
        {
            throw _model.Wrong(
                $"output '{_output}' has the shape {string.Join(" × ", shape)}; allowed: pictures × up to {UnitVectors.MaxLength} values"
            );
        }

        float[][] vectors = new float[pictures.Length][];
        for (int i = 0; i < vectors.Length; i++)
        {
            vectors[i] = UnitVectors.Scale(outputs[0].GetTensorDataAsSpan<float>().Slice(i * (int)length, (int)length));
        }

        return vectors;
    }

    private (string Name, int[] Shape) CheckInput()
    {
        KeyValuePair<string, NodeMetadata>[] inputs = [.. _model.Inputs];
        return
            inputs is [{ Value: { IsTensor: true, ElementDataType: TensorElementType.Float, Dimensions: [_, 3, _, _] } input }]
            && input.Dimensions[0] is <= 1
            && input.Dimensions[2] <= PictureEncoderOptions.LargestSize
            && input.Dimensions[3] <= PictureEncoderOptions.LargestSize
            ? (inputs[0].Key, input.Dimensions)
            : throw _model.Wrong(
                "it has the inputs "
                    + string.Join(", ", inputs.Select(static pair => $"{pair.Key} ({string.Join(" × ", pair.Value.Dimensions)})"))
                    + "; allowed for pictures: one of float32, pictures × 3 × height × width, "
                    + $"up to {PictureEncoderOptions.LargestSize} × {PictureEncoderOptions.LargestSize}"
            );
    }
}
