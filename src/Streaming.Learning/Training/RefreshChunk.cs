using System.IO.Hashing;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;

namespace Streaming.Learning.Training;

/// <summary>
/// Some items on their way from the trainer, which fills in their vectors and what was posted of them, to another thread, which finds what
/// moved (<see cref="Look"/>), and back to the trainer, which posts it. One thread at a time.
/// </summary>
/// <remarks>
/// Movement is measured, not guessed: a digest of a posted vector, as it is stored, tells whether there is anything to write; a sketch
/// of eight random signed sums (Johnson and Lindenstrauss) how far it moved: the squared distance of sketches estimates that of the
/// vectors, usually within a factor of two.
/// </remarks>
public sealed class RefreshChunk
{
    /// <summary>Items of a chunk: bounds how long filling one keeps the trainer.</summary>
    public const int MaxItems = 256;

    internal const int SketchSize = 8;
    private readonly int _dimension;
    private readonly bool _isSingle;
    private readonly float[] _signs;
    private readonly Half[] _halves;
    private readonly bool[] _isMoved = new bool[MaxItems];

    internal RefreshChunk(int dimension, EmbeddingElement element, float[] signs)
    {
        _dimension = dimension;
        _isSingle = element == EmbeddingElement.Float32;
        _signs = signs;
        _halves = new Half[dimension];
        Vectors = new float[MaxItems * dimension];
        Sketches = new float[MaxItems * SketchSize];
    }

    /// <summary>Gets the number of items; 0: nothing is due.</summary>
    public int Count { get; internal set; }

    internal RefreshReason Reason { get; set; }

    internal long Step { get; set; }

    /// <summary>Gets or sets the squared distance, relative to the vector's norm, beyond which a probe posts.</summary>
    internal double Limit { get; set; }

    internal int[] Rows { get; } = new int[MaxItems];

    /// <summary>Gets the items, without vectors until <see cref="Look"/> decides to post them.</summary>
    internal Refresh[] Items { get; } = new Refresh[MaxItems];

    internal float[] Vectors { get; }

    /// <summary>Gets the digests of what was posted last; 0: unknown.</summary>
    internal ulong[] Posted { get; } = new ulong[MaxItems];

    /// <summary>Gets the digests of the vectors.</summary>
    internal ulong[] Digests { get; } = new ulong[MaxItems];

    /// <summary>Gets the sketches of what was posted last; after <see cref="Look"/> those of the vectors.</summary>
    internal float[] Sketches { get; }

    /// <summary>Finds the items to post. Any thread, while it has the chunk.</summary>
    public void Look()
    {
        Span<float> sketch = stackalloc float[SketchSize];
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<float> vector = Vectors.AsSpan(i * _dimension, _dimension);
            Span<float> posted = Sketches.AsSpan(i * SketchSize, SketchSize);
            Digests[i] = Digest(vector);
            Sketch(vector, sketch);
            _isMoved[i] = IsDue(i, sketch, posted);
            sketch.CopyTo(posted);
            if (_isMoved[i])
            {
                Items[i] = Items[i] with { Vector = vector.ToArray() };
            }
        }
    }

    /// <summary>Whether <see cref="Look"/> found that an item is to be posted.</summary>
    internal bool IsMoved(int i) => _isMoved[i];

    /// <summary>The digest of a vector as it is stored: of its numbers as float16 unless they are stored as float32. Never 0.</summary>
    internal ulong Digest(ReadOnlySpan<float> vector)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(vector);
        if (!_isSingle)
        {
            TensorPrimitives.ConvertToHalf(vector, _halves);
            bytes = MemoryMarshal.AsBytes(_halves.AsSpan());
        }

        return Math.Max(XxHash3.HashToUInt64(bytes), 1);
    }

    /// <summary>The sketch of a vector.</summary>
    internal void Sketch(ReadOnlySpan<float> vector, Span<float> sketch)
    {
        for (int i = 0; i < SketchSize; i++)
        {
            sketch[i] = TensorPrimitives.Dot(vector, _signs.AsSpan(i * _dimension, _dimension));
        }
    }

    private bool IsDue(int i, ReadOnlySpan<float> sketch, ReadOnlySpan<float> posted)
    {
        switch (Reason)
        {
            case RefreshReason.Confirm:
                return true;
            case RefreshReason.Probe:
                float moved = TensorPrimitives.Distance(sketch, posted);
                return Digests[i] != Posted[i] && moved * moved > Limit * TensorPrimitives.SumOfSquares(sketch);
            default:
                return Digests[i] != Posted[i] || Items[i].Related is not null;
        }
    }
}
