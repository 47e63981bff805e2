using Streaming.Core.Options;

namespace Streaming.Lab.Backtest;

/// <summary>How recorded events are streamed through the trainer.</summary>
internal sealed record StreamOptions
{
    /// <summary>
    /// Gets the number of events per batch; each is ranked with the model as of the previous batch. Default 64; 1 … 65,536.
    /// </summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Gets how many times <see cref="BatchSize"/> events a batch has while the stream plays a worker that is behind
    /// (<see cref="BehindEvery"/>); the learning rate follows. Default 1; 1 … 64.</summary>
    public int Growth { get; init; } = 1;

    /// <summary>Gets after how many events the stream plays a worker that is behind, for as many, and catches up again. Default 0: it
    /// is always behind; 0 … 1,000,000,000.</summary>
    public int BehindEvery { get; init; }

    /// <summary>Gets the share of events at the start that are trained on but not measured. Default 0.1; 0 … below 1.</summary>
    public double SkipShare { get; init; } = 0.1;

    /// <summary>Gets the ranking interval: every n-th batch is ranked before it is trained on. With a large catalogue, ranking
    /// costs more than training. Default 1; 1 … 1,000.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(BatchSize), BatchSize, 1, 65_536);
        errors.Range(nameof(Growth), Growth, 1, 64);
        errors.Range(nameof(BehindEvery), BehindEvery, 0, 1_000_000_000);
        errors.Range(nameof(EvaluateEvery), EvaluateEvery, 1, 1_000);
        errors.Check(SkipShare is >= 0 and < 1, nameof(SkipShare), SkipShare, "0 … below 1");
        errors.Throw();
    }
}
