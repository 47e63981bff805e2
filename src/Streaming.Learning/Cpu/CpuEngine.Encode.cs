using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <content>Encoding, without dropout.</content>
public sealed partial class CpuEngine
{
    // Histories encoded at a time: bounds the buffers.
    private const int UsersPerBlock = 512;
    private int[] _blockOffsets = [];

    /// <inheritdoc/>
    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        BatchCheck.Rows(Model, rows, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNotEqual(embeddings.Length, rows.Length * Model.Dimension, nameof(embeddings));
        var work = new EncodeWork
        {
            Engine = this,
            Rows = rows,
            Embeddings = embeddings,
        };
        _workers.Run(
            Parts(rows.Length),
            ref work,
            static (ref EncodeWork work, int part, int worker) =>
            {
                int d = work.Engine.Model.Dimension,
                    first = part * SlotsPerPart,
                    count = Math.Min(SlotsPerPart, work.Rows.Length - first);
                work.Engine._items.Forward(
                    work.Rows.Slice(first, count),
                    work.Embeddings.Slice(first * d, count * d),
                    work.Engine.Scratch(worker, count)
                );
            }
        );
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
        for (int first = 0; first < sequences.Count; first += UsersPerBlock)
        {
            int count = Math.Min(UsersPerBlock, sequences.Count - first);
            int start = sequences.Offsets[first];
            Buffers.Grow(ref _blockOffsets, count + 1);
            for (int s = 0; s <= count; s++)
            {
                _blockOffsets[s] = sequences.Offsets[first + s] - start;
            }

            var block = new JaggedRows
            {
                Rows = sequences.Rows.Slice(start, _blockOffsets[count]),
                Offsets = _blockOffsets.AsSpan(0, count + 1),
            };
            EncodeBlock(block, vectors.Slice(first * length, count * length));
        }
    }

    private void EncodeBlock(in JaggedRows sequences, Span<float> vectors)
    {
        _slots.Clear();
        _plan.Plan(sequences, [], _slots, _tower.ChunkSteps);
        Forward(step: -1);
        _tower.Outputs(_plan).CopyTo(vectors);
    }

    private ref struct EncodeWork
    {
        public CpuEngine Engine;
        public ReadOnlySpan<int> Rows;
        public Span<float> Embeddings;
    }
}
