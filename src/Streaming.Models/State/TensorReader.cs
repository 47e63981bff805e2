using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Models.State;

/// <summary>Reads tensors by name and checks type and length before copying.</summary>
public sealed class TensorReader
{
    private const int Chunk = 1 << 20;
    private readonly TensorSource _source;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    /// <summary>Creates a reader over a source, which the caller disposes.</summary>
    /// <param name="source">The tensors.</param>
    public TensorReader(TensorSource source)
    {
        _source = source;
        for (int i = 0; i < source.Tensors.Count; i++)
        {
            _index[source.Tensors[i].Name] = i;
        }
    }

    /// <summary>Whether a tensor of that name exists; an older state lacks those added later.</summary>
    public bool Has(string name) => _index.ContainsKey(name);

    /// <summary>Number of elements of a tensor.</summary>
    public int Length(string name)
    {
        long count = _source.Tensors[Index(name)].ElementCount();
        return count <= Array.MaxLength
            ? (int)count
            : throw new StateMismatchException($"Tensor {name} has {count} elements, more than this program can hold.");
    }

    /// <summary>Fills an array from a tensor of the same length.</summary>
    /// <exception cref="StateMismatchException">The tensor is missing, or of another type or length.</exception>
    public void Read<T>(string name, Span<T> destination)
        where T : unmanaged
    {
        int tensor = Index(name);
        TensorInfo info = _source.Tensors[tensor];
        if (info.Type != TensorTypes.Of<T>() || info.ElementCount() != destination.Length)
        {
            throw new StateMismatchException(
                $"Tensor {name} is {info.Type}[{string.Join(", ", info.Shape)}]; the settings require "
                    + $"{TensorTypes.Of<T>()}[{destination.Length}]. "
                    + "Use the settings that the state was written with, or start without it."
            );
        }

        int step = Chunk / info.Type.Size();
        for (int start = 0; start < destination.Length; start += step)
        {
            Span<T> part = destination.Slice(start, Math.Min(step, destination.Length - start));
            _source.Read(tensor, (long)start * info.Type.Size(), MemoryMarshal.AsBytes(part));
        }
    }

    /// <summary>Reads one value.</summary>
    public T ReadValue<T>(string name)
        where T : unmanaged
    {
        T value = default;
        Read(name, new Span<T>(ref value));
        return value;
    }

    /// <summary>Reads a whole tensor, of any length up to <paramref name="maxLength"/>.</summary>
    public T[] ReadArray<T>(string name, int maxLength)
        where T : unmanaged
    {
        int length = Length(name);
        if (length > maxLength)
        {
            throw new StateMismatchException($"Tensor {name} has {length} elements; the settings allow at most {maxLength}.");
        }

        var values = new T[length];
        Read<T>(name, values);
        return values;
    }

    /// <summary>Reads strings written by <see cref="TensorSet.AddStrings"/>.</summary>
    /// <param name="name">Name of the pair of tensors.</param>
    /// <param name="maxCount">Maximum number of strings.</param>
    /// <param name="maxBytes">Maximum UTF-8 bytes per string.</param>
    public string?[] ReadStrings(string name, int maxCount, int maxBytes)
    {
        long[] ends = ReadArray<long>(name + ".offsets", maxCount);
        byte[] bytes = ReadArray<byte>(name + ".bytes", (int)Math.Min(Array.MaxLength, (long)ends.Length * maxBytes));
        string?[] strings = new string?[ends.Length];
        long start = 0;
        for (int i = 0; i < ends.Length; i++)
        {
            long end = ends[i] < 0 ? -(ends[i] + 1) : ends[i];
            if (end < start || end > bytes.Length || end - start > maxBytes)
            {
                throw new StateMismatchException(
                    $"String {i} of {name} spans bytes {start} to {end} of {bytes.Length}; allowed: at most {maxBytes} bytes each, in "
                        + "order."
                );
            }

            strings[i] = ends[i] < 0 ? null : Encoding.UTF8.GetString(bytes, (int)start, (int)(end - start));
            start = end;
        }

        return strings;
    }

    private int Index(string name) =>
        _index.TryGetValue(name, out int index)
            ? index
            : throw new StateMismatchException(
                $"Tensor {name} is missing: the state was written by another version or is not a trainer's state."
            );
}
