using Streaming.Lab.Backtest;
using Streaming.Learning.Engine;
using Streaming.Learning.Training;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class StepTallyTests
{
    [Fact]
    public void Add_Epochs_CountStepsAndMeanTheLossOfThoseApplied()
    {
        var tally = new StepTally("run");
        tally.BeginEpoch();
        tally.Add(Applied(1));
        tally.Add(Applied(3));
        tally.Add(Failed);
        Assert.Equal((3, 2, 2, 2.0), (tally.Count, tally.Applied, tally.AppliedInEpoch, tally.MeanLoss));

        tally.BeginEpoch();
        tally.Add(Applied(5));

        Assert.Equal((4, 3, 1, 5.0), (tally.Count, tally.Applied, tally.AppliedInEpoch, tally.MeanLoss));
        tally.ThrowIfNoneApplied();
    }

    /// <summary>Over the ends of epochs too: an epoch may have fewer steps than that.</summary>
    [Fact]
    public void Add_TenFailuresInARow_EndTheRunWithAdvice()
    {
        var tally = new StepTally("cbns");
        for (int i = 0; i < 9; i++)
        {
            tally.BeginEpoch();
            tally.Add(Failed);
        }

        NonFiniteLossException ended = Assert.Throws<NonFiniteLossException>(() => tally.Add(Failed));

        Assert.StartsWith(
            "cbns: 10 consecutive steps had a non-finite loss or gradient. A smaller STREAMING__Offline__LearningRate",
            ended.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void ThrowIfNoneApplied_AdviceNamesTheSettingOfTheRate() =>
        Assert.Contains(
            "A smaller STREAMING__Retrain__LearningRate",
            Assert.Throws<NonFiniteLossException>(new StepTally("run", "STREAMING__Retrain__LearningRate").ThrowIfNoneApplied).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Add_AppliedStep_RestartsTheCountOfFailures()
    {
        var tally = new StepTally("run");
        for (int i = 0; i < 30; i++)
        {
            tally.Add(i % 10 == 9 ? Applied(1) : Failed);
        }

        Assert.Equal((30, 3), (tally.Count, tally.Applied));
    }

    [Fact]
    public void ThrowIfNoneApplied_OnlyFailures_SaysHowMany()
    {
        var tally = new StepTally("run");
        tally.Add(Failed);
        tally.Add(Failed);

        Assert.StartsWith(
            "run: none of 2 steps was applied",
            Assert.Throws<NonFiniteLossException>(tally.ThrowIfNoneApplied).Message,
            StringComparison.Ordinal
        );
    }

    private static StepResult Failed => new(false, double.NaN, double.NaN, default, 0);

    private static StepResult Applied(double loss) => new(true, loss, 1, default, 1);
}
