using System.Buffers.Binary;
using System.Text.Json;

namespace Streaming.Models.State;

/// <summary>
/// The safetensors layout (Hugging Face): eight bytes of header length, a JSON header with each tensor's type, shape and
/// offsets, then the bytes of all tensors without gaps. Data only; nothing in it is executed.
/// </summary>
public static class Safetensors
{
    /// <summary>Maximum header length in bytes: the bound of the reference implementation.</summary>
    public const int MaxHeaderBytes = 100_000_000;
    private const string MetadataKey = "__metadata__";
    private const int Chunk = 1 << 20;

    /// <summary>Writes all tensors of a source.</summary>
    /// <param name="source">The tensors.</param>
    /// <param name="destination">The stream; it need only be writable.</param>
    /// <param name="metadata">Header metadata, or null.</param>
    /// <param name="cancellationToken">Cancels the writing.</param>
    public static void Write(
        TensorSource source,
        Stream destination,
        IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default
    ) => Write(source, destination, metadata, static (_, _) => { }, cancellationToken);

    /// <summary>Writes all tensors of a snapshot and releases them as it goes; afterwards it can only be disposed.</summary>
    public static void WriteOnce(TensorSnapshot source, Stream destination, CancellationToken cancellationToken) =>
        Write(source, destination, null, source.Release, cancellationToken);

    private static void Write(
        TensorSource source,
        Stream destination,
        IReadOnlyDictionary<string, string>? metadata,
        Action<int, long> written,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        IReadOnlyList<TensorInfo> tensors = source.Tensors;
        byte[] header = Header(tensors, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        destination.Write(length);
        destination.Write(header);
        byte[] buffer = new byte[Chunk];
        for (int tensor = 0; tensor < tensors.Count; tensor++)
        {
            long bytes = tensors[tensor].ByteCount();
            for (long start = 0; start < bytes; start += Chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(Chunk, bytes - start));
                source.Read(tensor, start, part);
                written(tensor, start + part.Length);
                destination.Write(part);
            }
        }
    }

    /// <summary>Parses a header and checks it against the length of the data.</summary>
    /// <param name="header">The JSON.</param>
    /// <param name="dataBytes">Bytes that follow the header.</param>
    /// <exception cref="InvalidDataException">The header is not valid, or does not describe exactly the data.</exception>
    internal static SafetensorsHeader Parse(ReadOnlySpan<byte> header, long dataBytes)
    {
        try
        {
            return ParseJson(header, dataBytes);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"The safetensors header is invalid: {exception.Message}", exception);
        }
    }

    private static byte[] Header(IReadOnlyList<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string name, string value) in metadata)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            WriteTensors(json, tensors);
            json.WriteEndObject();
        }

        // Pad with spaces to a multiple of eight, so that the data is aligned.
        while (stream.Length % 8 != 0)
        {
            stream.WriteByte((byte)' ');
        }

        return stream.Length <= MaxHeaderBytes
            ? stream.ToArray()
            : throw new InvalidOperationException($"The safetensors header has {stream.Length} bytes; allowed: {MaxHeaderBytes}.");
    }

    private static void WriteTensors(Utf8JsonWriter json, IReadOnlyList<TensorInfo> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        long start = 0;
        foreach (TensorInfo tensor in tensors)
        {
            if (tensor.Name == MetadataKey || !names.Add(tensor.Name))
            {
                throw new InvalidOperationException($"Tensor name '{tensor.Name}' is reserved or used twice.");
            }

            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", tensor.Type.ToString());
            json.WriteStartArray("shape");
            foreach (long dimension in tensor.Shape)
            {
                json.WriteNumberValue(dimension);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(start);
            json.WriteNumberValue(start += tensor.ByteCount());
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static SafetensorsHeader ParseJson(ReadOnlySpan<byte> header, long dataBytes)
    {
        var tensors = new List<TensorInfo>();
        var offsets = new List<long>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
        Expect(ref json, JsonTokenType.StartObject);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            if (!names.Add(name))
            {
                throw new FormatException($"'{name}' occurs twice.");
            }

            if (name == MetadataKey)
            {
                ReadMetadata(ref json, metadata);
            }
            else
            {
                ReadTensor(ref json, name, tensors, offsets);
            }
        }

        // Only white space may follow the object: another read finds the end or throws.
        if (json.Read())
        {
            throw new FormatException("The header continues after its object.");
        }

        return new SafetensorsHeader(tensors, CheckPlaces(tensors, offsets, dataBytes), metadata);
    }

    /// <summary>Tensors must cover the data without gaps or overlaps; their order is free.</summary>
    private static long[] CheckPlaces(List<TensorInfo> tensors, List<long> offsets, long dataBytes)
    {
        long[] starts = [.. offsets];
        int[] order = [.. Enumerable.Range(0, tensors.Count).OrderBy(i => starts[i]).ThenBy(i => tensors[i].ByteCount())];
        long end = 0;
        foreach (int i in order)
        {
            if (starts[i] != end)
            {
                throw new FormatException($"Tensor '{tensors[i].Name}' starts at {starts[i]}; expected: {end}.");
            }

            end = checked(end + tensors[i].ByteCount());
        }

        return end == dataBytes
            ? starts
            : throw new FormatException($"The header describes {end} bytes of data; the file has {dataBytes}.");
    }

    private static void ReadTensor(ref Utf8JsonReader json, string name, List<TensorInfo> tensors, List<long> offsets)
    {
        TensorType? type = null;
        List<long>? shape = null;
        List<long>? place = null;
        Expect(ref json, JsonTokenType.StartObject);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            switch (json.GetString())
            {
                case "dtype":
                    Expect(ref json, JsonTokenType.String);
                    type = ReadType(name, json.GetString()!);
                    break;
                case "shape":
                    shape = ReadNumbers(ref json, most: 8);
                    break;
                case "data_offsets":
                    place = ReadNumbers(ref json, most: 2);
                    break;
                default:
                    throw new FormatException($"Tensor '{name}' has the unknown property '{json.GetString()}'.");
            }
        }

        if (type is null || shape is null || place is not { Count: 2 })
        {
            throw new FormatException($"Tensor '{name}' needs dtype, shape and two data_offsets.");
        }

        var info = new TensorInfo(name, type.Value, shape);
        if (place[1] - place[0] != info.ByteCount())
        {
            throw new FormatException($"Tensor '{name}' has {place[1] - place[0]} bytes; its shape requires {info.ByteCount()}.");
        }

        tensors.Add(info);
        offsets.Add(place[0]);
    }

    private static TensorType ReadType(string name, string text)
    {
        foreach (TensorType type in Enum.GetValues<TensorType>())
        {
            if (type.ToString() == text)
            {
                return type;
            }
        }

        throw new FormatException($"Tensor '{name}' has type '{text}'; supported: {string.Join(", ", Enum.GetNames<TensorType>())}.");
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader json, int most)
    {
        var numbers = new List<long>();
        Expect(ref json, JsonTokenType.StartArray);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            long number = json.GetInt64();
            if (number < 0 || numbers.Count == most)
            {
                throw new FormatException($"{number} as entry {numbers.Count} of a list; allowed: 0 and up, at most {most} entries.");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private static void ReadMetadata(ref Utf8JsonReader json, Dictionary<string, string> metadata)
    {
        Expect(ref json, JsonTokenType.StartObject);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            Expect(ref json, JsonTokenType.String);
            metadata[name] = json.GetString()!;
        }
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (!json.Read() || json.TokenType != type)
        {
            throw new FormatException($"{json.TokenType} where {type} was expected, at byte {json.TokenStartIndex}.");
        }
    }
}
