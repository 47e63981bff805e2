using Streaming.Learning.Engine;
using Streaming.Learning.Training;

namespace Streaming.Lab.Backtest;

/// <summary>Counts steps over the epochs, and aborts a run that does not train.</summary>
/// <param name="label">The run's name.</param>
/// <param name="rate">The setting of the learning rate.</param>
internal sealed class StepTally(string label, string rate = "STREAMING__Offline__LearningRate")
{
    private const int MostFailed = 10;
    private readonly string _advice = $"A smaller {rate}, or features within a few orders of magnitude of 1, may help.";
    private int _failedInARow;
    private double _loss;

    /// <summary>Gets the number of steps.</summary>
    public long Count { get; private set; }

    /// <summary>Gets how many of them were applied.</summary>
    public long Applied { get; private set; }

    /// <summary>Gets how many were applied in this epoch.</summary>
    public int AppliedInEpoch { get; private set; }

    /// <summary>Gets their mean loss; NaN if there are none.</summary>
    public double MeanLoss => _loss / AppliedInEpoch;

    /// <summary>Starts an epoch. The count of consecutive failures continues, since an epoch may be shorter than the limit.</summary>
    public void BeginEpoch()
    {
        AppliedInEpoch = 0;
        _loss = 0;
    }

    /// <summary>Counts a step.</summary>
    /// <exception cref="NonFiniteLossException">Too many consecutive steps were not finite.</exception>
    public void Add(in StepResult result)
    {
        Count++;
        _failedInARow = result.FailedInARow(_failedInARow);
        if (_failedInARow == MostFailed)
        {
            throw new NonFiniteLossException(
                $"{label}: {MostFailed} consecutive steps had a non-finite loss or gradient. {_advice}",
                MostFailed
            );
        }

        if (result.IsApplied)
        {
            Applied++;
            AppliedInEpoch++;
            _loss += result.Loss;
        }
    }

    /// <exception cref="NonFiniteLossException">No step was applied, so the ranking would be meaningless.</exception>
    public void ThrowIfNoneApplied()
    {
        if (Applied == 0)
        {
            throw new NonFiniteLossException(
                $"{label}: none of {Count} steps was applied; each had a non-finite loss or gradient. {_advice}",
                (int)Count
            );
        }
    }
}
