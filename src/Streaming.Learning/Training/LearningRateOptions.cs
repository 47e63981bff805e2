using Streaming.Core.Options;
using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>Shape of the learning rate after the warm-up.</summary>
public enum LearningRateShape
{
    /// <summary>Constant: a live stream has no end.</summary>
    Constant,

    /// <summary>Half a cosine down to the final share: a run of known length.</summary>
    Cosine,
}

/// <summary>Learning rate by step: a linear warm-up, then constant (live) or cosine (offline).</summary>
public sealed record LearningRateOptions
{
    /// <summary>Gets the rate after the warm-up. Default 0.01, for one pass over
    /// a stream with <see cref="ModelOptions.Cosine"/>; above 0, at most 10.</summary>
    public float Peak { get; init; } = 0.01f;

    /// <summary>Gets the number of steps over which the rate rises from 0. Default 20; 0 … 10,000,000.</summary>
    public int WarmupSteps { get; init; } = 20;

    /// <summary>Gets the shape after the warm-up. Default <see cref="LearningRateShape.Constant"/>.</summary>
    public LearningRateShape Shape { get; init; } = LearningRateShape.Constant;

    /// <summary>Gets the number of steps of the whole run, including the warm-up, for the cosine. Default 0; must then exceed
    /// the warm-up.</summary>
    public long TotalSteps { get; init; }

    /// <summary>Gets the share of the peak at which the cosine ends. Default 0; 0 … 1.</summary>
    public float FinalShare { get; init; }

    /// <summary>Gets how the rate follows a batch that has grown to κ times its size because the trainer is behind: times κ to this power.
    /// 0.5 is the square-root rule of Malladi et al., "On the SDEs and Scaling Rules for Adaptive Gradient Algorithms", NeurIPS 2022; 1 the
    /// linear rule of Goyal et al., 2017, for SGD. Default 0.5; 0 … 1.</summary>
    public float BatchExponent { get; init; } = 0.5f;

    /// <summary>The rate of a step on a batch that may have grown.</summary>
    /// <param name="step">Number of steps before it, 0 and up.</param>
    /// <param name="examples">New examples of the batch.</param>
    /// <param name="fullSize">Examples of a full batch that has not grown; 0: unknown, and the rate is not changed.</param>
    public float At(long step, int examples, int fullSize) =>
        fullSize > 0 && examples > fullSize ? At(step) * MathF.Pow((float)examples / fullSize, BatchExponent) : At(step);

    /// <summary>The rate of a step.</summary>
    /// <param name="step">Number of steps before it, 0 and up.</param>
    public float At(long step)
    {
        if (step < WarmupSteps)
        {
            return Peak * (step + 1) / WarmupSteps;
        }

        if (Shape == LearningRateShape.Constant)
        {
            return Peak;
        }

        double progress = Math.Min(1.0, (double)(step - WarmupSteps) / (TotalSteps - WarmupSteps));
        return (float)(Peak * (FinalShare + ((1 - FinalShare) * 0.5 * (1 + Math.Cos(Math.PI * progress)))));
    }

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(Peak is > 0 and <= 10, nameof(Peak), Peak, "above 0, at most 10");
        errors.Range(nameof(WarmupSteps), WarmupSteps, 0, 10_000_000);
        errors.Defined(nameof(Shape), Shape);
        errors.Check(
            Shape == LearningRateShape.Constant || TotalSteps > WarmupSteps,
            nameof(TotalSteps),
            TotalSteps,
            $"above {WarmupSteps} (the warm-up) with Cosine"
        );
        errors.Range(nameof(FinalShare), FinalShare, 0, 1);
        errors.Range(nameof(BatchExponent), BatchExponent, 0, 1);
        errors.Throw();
    }
}
