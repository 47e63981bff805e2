using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <content>Encoding: owners compute the vectors of their rows, once each.</content>
public sealed partial class ShardedCpuEngine
{
    private readonly int[] _agreements;
    private readonly int[] _ones;
    private int[] _stored = [];

    /// <inheritdoc/>
    public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        ArgumentException? refusal = null;
        try
        {
            BatchCheck.Rows(Model, rows, nameof(rows));
            ArgumentOutOfRangeException.ThrowIfNotEqual(embeddings.Length, rows.Length * Model.Dimension, nameof(embeddings));
        }
        catch (ArgumentException exception)
        {
            refusal = exception;
        }

        if (Agree(rows.Length, refusal, nameof(EncodeItems)) > 0)
        {
            Encode(rows, embeddings);
        }
    }

    /// <inheritdoc/>
    public override void EncodeStored(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        BatchCheck.Rows(Model, rows, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNotEqual(embeddings.Length, rows.Length * Model.Dimension, nameof(embeddings));
        Buffers.Grow(ref _stored, rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            _stored[i] = Stores(rows[i])
                ? rows[i] / _ranks.Size
                : throw new ArgumentException(
                    $"Row {rows[i]} is stored by rank {rows[i] % _ranks.Size} of {_ranks.Size}; this is rank {_ranks.Rank}.",
                    nameof(rows)
                );
        }

        EncodeRows(_stored.AsSpan(0, rows.Length), embeddings);
    }

    /// <inheritdoc/>
    public override void EncodeUsers(in JaggedRows sequences, Span<float> vectors)
    {
        ArgumentException? refusal = null;
        try
        {
            if (sequences.Count > 0)
            {
                VerifyUsers(sequences, vectors);
            }
        }
        catch (ArgumentException exception)
        {
            refusal = exception;
        }

        EncodeBlocks(sequences, vectors, Agree(Blocks(sequences), refusal, nameof(EncodeUsers)));
    }

    private protected override void Encode(ReadOnlySpan<int> rows, Span<float> embeddings)
    {
        _rows.Ask(rows);
        int length = _rows.Owned.Count * Model.Dimension;
        Buffers.Grow(ref _owned, length);
        EncodeRows(_rows.Owned.Rows, _owned.AsSpan(0, length));
        _rows.Fetch(_owned.AsSpan(0, length), embeddings);
    }

    // The largest count of all ranks: those that have less take part with nothing.
    private int Agree(int count, ArgumentException? refusal, string operation)
    {
        _ranks.Gather([refusal is null ? count : -1], _agreements, _ones);
        if (refusal is not null)
        {
            throw refusal;
        }

        int refused = Array.IndexOf(_agreements, -1);
        return refused < 0
            ? _agreements.Max()
            : throw new InvalidOperationException($"Rank {refused} refused its part of {operation}; its own error says why.");
    }
}
