using System.Runtime.CompilerServices;
using Streaming.Kernels.Parallel;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Engine;
using Streaming.Models.Options;

namespace Streaming.Tests;

/// <summary>The bytes that a rank sends in a step, by what it sends: the formula that the counted bytes are compared with.</summary>
internal sealed record StepBytes
{
    /// <summary>Counts, settings of the step, losses and norm.</summary>
    public long Control { get; private init; }

    /// <summary>Row numbers to the owners, item vectors back, gradients to the owners.</summary>
    public long Rows { get; private init; }

    /// <summary>Candidates to all ranks, their gradients back.</summary>
    public long Candidates { get; private init; }

    /// <summary>Dense gradients to whoever updates them, values back.</summary>
    public long Dense { get; private init; }

    public long Total => Control + Rows + Candidates + Dense;

    /// <summary>Distinct items and columns of a share.</summary>
    public readonly record struct Share(HashSet<int> Rows, int Columns)
    {
        public static Share Of(TrainingBatch batch) =>
            new([.. batch.Sequences.Rows, .. batch.Positives, .. batch.Negatives], batch.Positives.Length + batch.Negatives.Length);
    }

    /// <summary>What a rank sends.</summary>
    /// <param name="shares">The shares of all ranks.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="model">The model.</param>
    /// <param name="parameters">Length of the dense parameters.</param>
    public static StepBytes Sent(Share[] shares, int rank, ModelOptions model, int parameters)
    {
        int n = shares.Length;
        long others = n - 1,
            vector = sizeof(float) * (long)model.Dimension;
        long foreign = shares[rank].Rows.Count(row => row % n != rank);
        long asked = shares.Where((_, other) => other != rank).Sum(share => (long)share.Rows.Count(row => row % n == rank));
        long columns = shares.Sum(share => (long)share.Columns);
        long slice = Workers.Begin(parameters, n, rank + 1, 16) - Workers.Begin(parameters, n, rank, 16);
        return new StepBytes
        {
            Control = others * (Unsafe.SizeOf<ShareRecord>() + (sizeof(double) * (model.Widths.Count + 1L))),
            Rows = (sizeof(int) * (others + foreign)) + (vector * (foreign + asked)),
            Candidates =
                (others * shares[rank].Columns * (Unsafe.SizeOf<ColumnItem>() + vector)) + (vector * (columns - shares[rank].Columns)),
            Dense = sizeof(float) * (parameters - slice + (others * slice)),
        };
    }
}
