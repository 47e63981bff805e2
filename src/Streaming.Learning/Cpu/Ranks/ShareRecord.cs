using Streaming.Learning.Engine;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>What a rank tells the others of its share of a step, before any of them changes anything.</summary>
internal readonly record struct ShareRecord
{
    /// <summary>Describes a share.</summary>
    public ShareRecord(in TrainingBatch share, bool isRefused)
    {
        IsRefused = isRefused ? 1 : 0;
        Predictions = share.Positives.Length;
        Negatives = share.Negatives.Length;
        Steps = share.Sequences.Rows.Length + Math.Max(0, share.Sequences.Count);
        foreach (float weight in share.Weights)
        {
            Weight += weight;
        }

        Settings = new ShareSettings(share.Step, share.LearningRate, share.BankEntries, share.DrawnFrom, share.EnqueuePositives ? 1 : 0);
    }

    /// <summary>Gets 1 when the share is invalid, else 0.</summary>
    public int IsRefused { get; }

    /// <summary>Gets the number of predictions.</summary>
    public int Predictions { get; }

    /// <summary>Gets the number of extra negatives.</summary>
    public int Negatives { get; }

    /// <summary>Gets the number of steps of the sequences.</summary>
    public int Steps { get; }

    /// <summary>Gets the sum of the weights.</summary>
    public double Weight { get; }

    /// <summary>Gets what must be the same in every share.</summary>
    public ShareSettings Settings { get; }
}
