using Streaming.Learning.Engine;
using Streaming.Learning.Training;

namespace Streaming.Lab.Backtest;

/// <summary>Counts steps over the epochs, and ends a run that does not learn.</summary>
/// <param name="label">Name of the run.</param>
internal sealed class StepTally(string label)
{
    private const int MostFailed = 10;
    private const string Advice = "A smaller STREAMING__Offline__LearningRate, or features within a few orders of magnitude of 1, may help.";
    private int _failedInARow;
    private double _loss;

    /// <summary>Gets the number of steps.</summary>
    public long Count { get; private set; }

    /// <summary>Gets how many of them changed the model.</summary>
    public long Applied { get; private set; }

    /// <summary>Gets how many of this epoch did.</summary>
    public int AppliedInEpoch { get; private set; }

    /// <summary>Gets the mean loss of these; not a number without any.</summary>
    public double MeanLoss => _loss / AppliedInEpoch;

    /// <summary>Begins an epoch. Failures in a row go on over its start: an epoch may be shorter than they are.</summary>
    public void BeginEpoch()
    {
        AppliedInEpoch = 0;
        _loss = 0;
    }

    /// <summary>Counts a step.</summary>
    /// <exception cref="NonFiniteLossException">It was one too many that was not finite.</exception>
    public void Add(in StepResult result)
    {
        Count++;
        _failedInARow = result.IsApplied ? 0 : _failedInARow + 1;
        if (_failedInARow == MostFailed)
        {
            throw new NonFiniteLossException($"{label}: {MostFailed} steps in a row had a loss or gradient that was not finite. {Advice}", MostFailed);
        }

        if (result.IsApplied)
        {
            Applied++;
            AppliedInEpoch++;
            _loss += result.Loss;
        }
    }

    /// <exception cref="NonFiniteLossException">No step changed the model: whatever it ranks is no result.</exception>
    public void ThrowIfNoneApplied()
    {
        if (Applied == 0)
        {
            throw new NonFiniteLossException($"{label}: none of {Count} steps was applied; each had a loss or gradient that was not finite. {Advice}", (int)Count);
        }
    }
}
