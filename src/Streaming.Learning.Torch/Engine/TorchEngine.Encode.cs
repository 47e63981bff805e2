using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Engine;

/// <content>Encoding, without dropout.</content>
public sealed partial class TorchEngine
{
    // Rows and steps encoded at a time: bounds the memory.
    private const int RowsPerBlock = 1 << 16;
    private int[] _blockOffsets = [];

    /// <inheritdoc/>
    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        BatchCheck.Rows(Model, rows, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNotEqual(embeddings.Length, rows.Length * Model.Dimension, nameof(embeddings));
        _items.Flush();
        using IDisposable noGrad = no_grad();
        for (int first = 0; first < rows.Length; first += RowsPerBlock)
        {
            using DisposeScope scope = NewDisposeScope();
            int count = Math.Min(RowsPerBlock, rows.Length - first);
            Tensor block = _uploader.Upload(rows.Slice(first, count));
            _reads.Copy(
                _itemModule.forward(block, _itemModule.IdVectors(block)),
                embeddings.Slice(first * Model.Dimension, count * Model.Dimension)
            );
        }
    }

    /// <inheritdoc/>
    public override void EncodeUsers(in JaggedRows sequences, Span<float> vectors)
    {
        if (sequences.Count == 0)
        {
            return;
        }

        BatchCheck.Sequences(Model, sequences);
        int length = _tower.VectorsPerUser * Model.Dimension;
        ArgumentOutOfRangeException.ThrowIfNotEqual(vectors.Length, sequences.Count * length, nameof(vectors));
        _items.Flush();
        using IDisposable noGrad = no_grad();
        int usersPerBlock = Math.Max(1, RowsPerBlock / (Model.HistoryLength + 1));
        for (int first = 0; first < sequences.Count; first += usersPerBlock)
        {
            using DisposeScope scope = NewDisposeScope();
            int count = Math.Min(usersPerBlock, sequences.Count - first);
            _reads.Copy(_pass.Encode(Block(sequences, first, count)), vectors.Slice(first * length, count * length));
        }
    }

    private JaggedRows Block(in JaggedRows sequences, int first, int count)
    {
        int start = sequences.Offsets[first];
        Buffers.Grow(ref _blockOffsets, count + 1);
        for (int s = 0; s <= count; s++)
        {
            _blockOffsets[s] = sequences.Offsets[first + s] - start;
        }

        return new JaggedRows { Rows = sequences.Rows.Slice(start, _blockOffsets[count]), Offsets = _blockOffsets.AsSpan(0, count + 1) };
    }
}
