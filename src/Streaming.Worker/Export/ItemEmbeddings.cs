using System.Runtime.InteropServices;
using Streaming.Learning.Engine;
using Streaming.Models.State;

namespace Streaming.Worker.Export;

/// <summary>The embeddings of all items at one width as a single tensor, <c>embeddings</c> [n × w], encoded on read.</summary>
/// <param name="engine">The engine.</param>
/// <param name="rows">The row of each item.</param>
/// <param name="width">The width.</param>
internal sealed class ItemEmbeddings(TrainingEngine engine, int[] rows, int width) : TensorSource
{
    private const int ChunkRows = 4096;
    private readonly float[] _full = new float[Math.Min(ChunkRows, rows.Length) * engine.Model.Dimension];
    private readonly float[] _cut = new float[Math.Min(ChunkRows, rows.Length) * width];
    private int _chunk = -1;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors { get; } = [new("embeddings", TensorType.F32, [rows.Length, width])];

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        long chunkBytes = (long)ChunkRows * width * sizeof(float);
        while (destination.Length > 0)
        {
            Encode((int)(byteOffset / chunkBytes));
            ReadOnlySpan<byte> part = MemoryMarshal.AsBytes<float>(_cut)[(int)(byteOffset % chunkBytes)..];
            int take = Math.Min(part.Length, destination.Length);
            part[..take].CopyTo(destination);
            destination = destination[take..];
            byteOffset += take;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) { }

    private void Encode(int chunk)
    {
        if (chunk == _chunk)
        {
            return;
        }

        _chunk = chunk;
        int d = engine.Model.Dimension;
        ReadOnlySpan<int> part = rows.AsSpan(chunk * ChunkRows, Math.Min(ChunkRows, rows.Length - (chunk * ChunkRows)));
        engine.EncodeItems(part, _full.AsSpan(0, part.Length * d));
        for (int i = 0; i < part.Length; i++)
        {
            _full.AsSpan(i * d, width).CopyTo(_cut.AsSpan(i * width));
        }
    }
}
