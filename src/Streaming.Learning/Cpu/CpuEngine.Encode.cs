using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <content>Encoding, without dropout.</content>
public partial class CpuEngine
{
    // Histories encoded at a time: bounds the buffers.
    private const int UsersPerBlock = 512;
    private int[] _blockOffsets = [];

    /// <inheritdoc/>
    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        BatchCheck.Rows(Model, rows, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNotEqual(embeddings.Length, rows.Length * Model.Dimension, nameof(embeddings));
        EncodeRows(rows, embeddings);
    }

    /// <summary>Encodes stored rows.</summary>
    private protected void EncodeRows(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
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

        VerifyUsers(sequences, vectors);
        EncodeBlocks(sequences, vectors, Blocks(sequences));
    }

    /// <summary>Number of blocks in which sequences are encoded.</summary>
    private protected static int Blocks(in JaggedRows sequences) => (sequences.Count + UsersPerBlock - 1) / UsersPerBlock;

    /// <summary>Checks the arguments of <see cref="EncodeUsers"/>.</summary>
    private protected void VerifyUsers(in JaggedRows sequences, Span<float> vectors)
    {
        BatchCheck.Sequences(Model, sequences);
        ArgumentOutOfRangeException.ThrowIfNotEqual(
            vectors.Length,
            sequences.Count * _tower.VectorsPerUser * Model.Dimension,
            nameof(vectors)
        );
    }

    /// <summary>Encodes sequences in so many blocks; those after the last sequence are empty.</summary>
    private protected void EncodeBlocks(in JaggedRows sequences, Span<float> vectors, int blocks)
    {
        int length = _tower.VectorsPerUser * Model.Dimension;
        for (int b = 0; b < blocks; b++)
        {
            int first = Math.Min(b * UsersPerBlock, sequences.Count),
                count = Math.Min(UsersPerBlock, sequences.Count - first);
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
