using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Streaming.Core.Generations;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Slices;

/// <summary>
/// A model sliced to one of its widths, as a self-describing safetensors file: the trainer publishes user towers in this form,
/// and `streaming export` writes it. It contains only data, and all of its metadata is validated.
/// </summary>
/// <remarks>Header metadata: <c>token</c>, <c>step</c>, <c>generation</c>, <c>width</c>, <c>format</c> and <c>model</c> (the
/// options at this width, as JSON). The tensors are those of a model trained at this width alone.</remarks>
public sealed class SlicedModel
{
    /// <summary>The format version that this program writes and reads.</summary>
    public const string Format = "streaming-model-1";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        IgnoreReadOnlyProperties = true,
        MaxDepth = 8,
        Converters = { new JsonStringEnumConverter() },
    };

    private readonly ReadOnlyMemory<byte> _file;

    private SlicedModel(ReadOnlyMemory<byte> file, ModelOptions model, ModelVersion version)
    {
        _file = file;
        Model = model;
        Version = version;
    }

    /// <summary>Gets the options of the model at this width.</summary>
    public ModelOptions Model { get; }

    /// <summary>Gets the width.</summary>
    public int Width => Model.Dimension;

    /// <summary>Gets the version of the model that it was sliced from.</summary>
    public ModelVersion Version { get; }

    /// <summary>Writes a file.</summary>
    /// <param name="parameters">Parameters of the model: an engine's, a snapshot or a checkpoint.</param>
    /// <param name="model">Its options.</param>
    /// <param name="width">One of its widths.</param>
    /// <param name="version">Its version.</param>
    /// <param name="projection">Whether to include the item projection, or only the user tower.</param>
    /// <param name="destination">The stream; it need only be writable.</param>
    /// <exception cref="ArgumentException">The width is not one of the model's.</exception>
    /// <exception cref="StateMismatchException">A tensor is missing or of another shape.</exception>
    public static void Write(
        TensorSource parameters,
        ModelOptions model,
        int width,
        ModelVersion version,
        bool projection,
        Stream destination
    )
    {
        using TensorSource slice = ModelSlicer.Slice(parameters, model, width, projection);
        Safetensors.Write(slice, destination, Describe(ModelSlicer.At(model, width), version));
    }

    /// <summary>Opens a file.</summary>
    /// <param name="file">Its bytes; referenced, not copied.</param>
    /// <exception cref="InvalidDataException">Not a model file, of a newer format, or with invalid metadata.</exception>
    public static SlicedModel Read(ReadOnlyMemory<byte> file)
    {
        using var reader = SafetensorsReader.FromMemory(file);
        string format = Text(reader, "format");
        if (format != Format)
        {
            throw new InvalidDataException($"The model file has format '{format}'; this program reads {Format}.");
        }

        var version = new ModelVersion(Number<uint>(reader, "generation"), Number<uint>(reader, "token"), Number<long>(reader, "step"));
        ModelOptions model = ReadOptions(Text(reader, "model"));

        // A nested map has more than D² / 2 weights, and every tower or block has such a map: the file's size bounds the memory
        // allocated for a tower, whatever the metadata claims.
        long least = sizeof(float) * (long)model.Dimension * model.Dimension / 2 * (model.Tower == TowerKind.FmrlRec ? model.Layers : 1);
        return file.Length >= least
            ? new SlicedModel(file, model, version)
            : throw new InvalidDataException(
                $"The model file has {file.Length} bytes; a {model.Tower} tower of width {model.Dimension} has more than {least}."
            );
    }

    /// <summary>Creates the user tower's encoder; each thread needs its own.</summary>
    /// <exception cref="StateMismatchException">A tensor is missing or of another shape.</exception>
    public UserEncoder CreateEncoder()
    {
        using var reader = SafetensorsReader.FromMemory(_file);
        return new UserEncoder(Model, Model.Dimension, reader);
    }

    // Token and step first: the store reads them from there before it replaces a file.
    private static Dictionary<string, string> Describe(ModelOptions model, ModelVersion version) =>
        new(StringComparer.Ordinal)
        {
            ["token"] = version.Token.ToString(CultureInfo.InvariantCulture),
            ["step"] = version.Step.ToString(CultureInfo.InvariantCulture),
            ["generation"] = version.Generation.ToString(CultureInfo.InvariantCulture),
            ["width"] = model.Dimension.ToString(CultureInfo.InvariantCulture),
            ["format"] = Format,
            ["model"] = JsonSerializer.Serialize(model, Json),
        };

    private static ModelOptions ReadOptions(string json)
    {
        try
        {
            ModelOptions model = JsonSerializer.Deserialize<ModelOptions>(json, Json) ?? throw new JsonException("The options are null.");
            model.Validate();
            return model;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException($"The model file's options are invalid: {exception.Message}", exception);
        }
    }

    private static string Text(SafetensorsReader reader, string name) =>
        reader.Metadata.TryGetValue(name, out string? value)
            ? value
            : throw new InvalidDataException($"The safetensors file has no '{name}' in its metadata: it is not a model file.");

    private static T Number<T>(SafetensorsReader reader, string name)
        where T : struct, IParsable<T> =>
        T.TryParse(Text(reader, name), CultureInfo.InvariantCulture, out T number)
            ? number
            : throw new InvalidDataException($"The model file's {name} is '{Text(reader, name)}'; allowed: a number.");
}
