using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Streaming.Encoders.Onnx;
using Streaming.Formats.Inputs;

namespace Streaming.Encoders.Texts;

/// <summary>Encodes texts by a BERT-like ONNX model into vectors of length 1.</summary>
public sealed class TextEncoder : IDisposable
{
    private const string Ids = "input_ids";
    private const string Mask = "attention_mask";
    private const string Types = "token_type_ids";

    private readonly TextEncoderOptions _options;
    private readonly WordPieces _pieces;
    private readonly OnnxModel _model;
    private readonly string _output;

    /// <summary>Loads a model and tries it.</summary>
    /// <param name="options">Options.</param>
    /// <param name="threads">Threads, 1 and up.</param>
    /// <exception cref="InputFileException">A file is missing or not what it should be.</exception>
    /// <exception cref="EncoderLibraryException">ONNX Runtime cannot be loaded.</exception>
    public TextEncoder(TextEncoderOptions options, int threads)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTokens, TextEncoderOptions.FewestTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxTokens, TextEncoderOptions.MostTokens);
        _options = options;
        _pieces = WordPieces.Read(options.Vocabulary);
        _model = OnnxModel.Load(options.Model, threads);
        try
        {
            CheckInputs();
            _output = _model.Output(options.Output);
            Length = Try();
            Fingerprint = FormattableString.Invariant(
                $"text {_model.Fingerprint()} {_pieces.Fingerprint} {_output} {options.Pooling} {options.MaxTokens}"
            );
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    /// <summary>Gets the number of values of a vector.</summary>
    public int Length { get; }

    /// <summary>Gets a text that is another for every model, vocabulary and option that changes vectors.</summary>
    public string Fingerprint { get; }

    /// <summary>Encodes texts.</summary>
    /// <param name="texts">1 and more.</param>
    /// <returns>A vector of length 1 for each.</returns>
    public float[][] Encode(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Encode([.. texts.Select(text => _pieces.Tokens(text, _options.MaxTokens))]);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private float[][] Encode(IReadOnlyList<int>[] tokens)
    {
        int longest = tokens.Max(static part => part.Count);
        long[] ids = new long[tokens.Length * longest];
        long[] mask = new long[ids.Length];
        Array.Fill(ids, _pieces.Padding);
        for (int row = 0; row < tokens.Length; row++)
        {
            for (int i = 0; i < tokens[row].Count; i++)
            {
                ids[(row * longest) + i] = tokens[row][i];
                mask[(row * longest) + i] = 1;
            }
        }

        long[] shape = [tokens.Length, longest];
        using var idValue = OrtValue.CreateTensorValueFromMemory(ids, shape);
        using var maskValue = OrtValue.CreateTensorValueFromMemory(mask, shape);
        using var typeValue = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], shape);
        var inputs = new Dictionary<string, OrtValue> { [Ids] = idValue };
        foreach ((string name, OrtValue value) in (ReadOnlySpan<(string, OrtValue)>)[(Mask, maskValue), (Types, typeValue)])
        {
            if (_model.Inputs.ContainsKey(name))
            {
                inputs[name] = value;
            }
        }

        using IDisposableReadOnlyCollection<OrtValue> outputs = _model.Run(inputs, _output);
        return Pool(outputs[0], tokens, longest);
    }

    private float[][] Pool(OrtValue output, IReadOnlyList<int>[] tokens, int longest)
    {
        long[] shape = output.GetTensorTypeAndShape().Shape;
        bool isPooled = shape.Length == 2;
        if (
            shape.Length is not (2 or 3)
            || shape[0] != tokens.Length
            || (!isPooled && shape[1] != longest)
            || shape[^1] > UnitVectors.MaxLength
        )
        {
            throw _model.Wrong(
                $"output '{_output}' has the shape {string.Join(" × ", shape)}; allowed: texts × values or texts × tokens × values, up to "
                    + $"{UnitVectors.MaxLength} values"
            );
        }

        int length = (int)shape[^1];
        ReadOnlySpan<float> values = output.GetTensorDataAsSpan<float>();
        float[][] vectors = new float[tokens.Length][];
        for (int row = 0; row < vectors.Length; row++)
        {
            ReadOnlySpan<float> text = values.Slice(row * (isPooled ? 1 : longest) * length, (isPooled ? 1 : longest) * length);
            vectors[row] = UnitVectors.Scale(
                !isPooled && _options.Pooling == TextPooling.Mean ? Sum(text, tokens[row].Count, length) : text[..length]
            );
        }

        return vectors;
    }

    // Scaled to length 1 afterwards, the sum is the mean.
    private static float[] Sum(ReadOnlySpan<float> values, int tokens, int length)
    {
        float[] sum = new float[length];
        for (int token = 0; token < tokens; token++)
        {
            TensorPrimitives.Add(sum, values.Slice(token * length, length), sum);
        }

        return sum;
    }

    private void CheckInputs()
    {
        string[] unknown = [.. _model.Inputs.Keys.Except([Ids, Mask, Types])];
        if (unknown.Length > 0 || !_model.Inputs.ContainsKey(Ids))
        {
            throw _model.Wrong(
                $"it has the inputs {string.Join(", ", _model.Inputs.Keys)}; allowed for text: {Ids}, and optionally {Mask} and {Types}"
            );
        }

        foreach ((string name, NodeMetadata input) in _model.Inputs)
        {
            if (input is not { IsTensor: true, ElementDataType: TensorElementType.Int64, Dimensions.Length: 2 })
            {
                throw _model.Wrong($"input '{name}' is not a matrix of int64");
            }
        }
    }

    /// <summary>Encodes the longest text of the vocabulary's last token: a vocabulary or length of another model fails here.</summary>
    private int Try() =>
        Encode([
            [.. Enumerable.Repeat(_pieces.Size - 1, _options.MaxTokens)],
        ])[0].Length;
}
