using Streaming.Learning.Engine;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Engine;

/// <summary>Every way in which a batch can be wrong is named before an engine touches anything.</summary>
public sealed class BatchCheckTests
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4],
        ItemCapacity = 8,
        HistoryLength = 3,
        WeightDecay = 0.1f,
    };

    public static TheoryData<string, string> Wrong =>
        new()
        {
            { "no predictions", "no predictions" },
            { "a row too large", "Positives contains row 8; allowed: 0 … ItemCapacity − 1 = 7." },
            { "a negative row", "Negatives contains row -1" },
            { "a history row", "Sequences contains row 9" },
            { "offsets that do not begin at 0", "Sequences has 3 offsets for 5 rows" },
            { "offsets that do not reach the end", "Sequences has 3 offsets for 5 rows" },
            { "a history too long", "Sequence 1 has 4 items; allowed: 0 … HistoryLength = 3." },
            { "offsets that fall", "Sequence 1 has -1 items" },
            { "steps that do not rise", "PredictionSteps contains 2 after 2" },
            { "a step beyond the batch", "PredictionSteps contains 7 after 2; allowed: ascending, below the 7 steps" },
            { "a weight too few", "Weights has 1 values; expected: 2" },
            { "a weight below 0", "Weights contains -0.5; allowed: finite, 0 and up." },
            { "a weight not a number", "Weights contains NaN" },
            { "a step too few", "PredictionSteps has 1 values" },
            { "a ln q too many", "LogQ has 3 values" },
            { "a ln q of negatives too few", "NegativeLogQ has 1 values" },
            { "a learning rate not a number", "LearningRate is NaN" },
            { "a learning rate below 0", "LearningRate is -1" },
            { "a learning rate that takes all", "LearningRate is 10 with weight decay 0.1; allowed: a product below 1" },
            { "bank entries below 0", "BankEntries" },
            { "a step below 0", "Step" },
        };

    [Fact]
    public void Verify_GoodBatch_Passes() => Assert.Null(Record.Exception(() => Verify("nothing")));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Verify_WrongBatch_NamesWhatIsWrong(string what, string words) =>
        Assert.Contains(words, Assert.ThrowsAny<ArgumentException>(() => Verify(what)).Message, StringComparison.Ordinal);

    [Fact]
    public void VerifyShare_WithoutSequences_MayHaveNoPredictions()
    {
        var empty = new TrainingBatch
        {
            Sequences = new JaggedRows { Rows = [], Offsets = [0] },
            Negatives = [3],
        };
        BatchCheck.VerifyShare(Model, empty);
        Assert.Throws<ArgumentException>(() => BatchCheck.Verify(Model, new TrainingBatch()));
    }

    [Fact]
    public void VerifyShare_WrongInAnyOtherWay_IsNamedAsInABatch()
    {
        static TrainingBatch Share(int[] rows, int[] offsets) =>
            new()
            {
                Sequences = new JaggedRows { Rows = rows, Offsets = offsets },
            };
        Assert.Contains("no predictions", Refused(() => BatchCheck.VerifyShare(Model, Share([1], [0, 1]))), StringComparison.Ordinal);
        Assert.Contains("0 offsets", Refused(() => BatchCheck.VerifyShare(Model, Share([], []))), StringComparison.Ordinal);
        Assert.Contains(
            "Negatives contains row 8",
            Refused(() => BatchCheck.VerifyShare(Model, Share([], [0]) with { Negatives = new int[] { 8 } })),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(2, 6, true)]
    [InlineData(1, 6, false)]
    [InlineData(2, 5, false)]
    public void Verify_Mind_PredictsAtLastStepsOnly(int first, int second, bool allowed)
    {
        var batch = new TrainingBatch
        {
            Sequences = new JaggedRows { Rows = [1, 2, 3, 4, 5], Offsets = [0, 2, 5] },
            PredictionSteps = [first, second],
            Positives = [1, 2],
            Weights = [1, 1],
        };
        ArgumentException? refused = null;
        try
        {
            BatchCheck.Verify(Model with { Tower = TowerKind.Mind }, batch);
        }
        catch (ArgumentException exception)
        {
            refused = exception;
        }

        Assert.Equal(allowed, refused is null);
        Assert.Contains(
            allowed ? string.Empty : "the Mind tower predicts only there",
            refused?.Message ?? string.Empty,
            StringComparison.Ordinal
        );
    }

    private static void Verify(string wrong)
    {
        int[] rows = [1, 2, 3, 4, wrong == "a history row" ? 9 : 5],
            offsets = wrong switch
            {
                "offsets that do not begin at 0" => [1, 2, 5],
                "offsets that do not reach the end" => [0, 2, 4],
                "a history too long" => [0, 1, 5],
                "offsets that fall" => [0, 3, 2, 5],
                _ => [0, 2, 5],
            };
        var batch = new TrainingBatch
        {
            Sequences = new JaggedRows { Rows = rows, Offsets = offsets },
            PredictionSteps = wrong switch
            {
                "steps that do not rise" => [2, 2],
                "a step beyond the batch" => [2, 7],
                "a step too few" => [2],
                _ => [2, 6],
            },
            Positives = wrong switch
            {
                "no predictions" => [],
                "a row too large" => [1, 8],
                _ => [1, 2],
            },
            Weights = wrong switch
            {
                "a weight too few" => [1],
                "a weight below 0" => [1, -0.5f],
                "a weight not a number" => [float.NaN, 1],
                _ => [1, 1],
            },
            LogQ = wrong == "a ln q too many" ? [-1, -1, -1] : [-1, -1],
            Negatives = wrong == "a negative row" ? [3, -1] : [3, 4],
            NegativeLogQ = wrong == "a ln q of negatives too few" ? [-1] : [-1, -1],
            LearningRate = wrong switch
            {
                "a learning rate not a number" => float.NaN,
                "a learning rate below 0" => -1,
                "a learning rate that takes all" => 10,
                _ => 0.1f,
            },
            BankEntries = wrong == "bank entries below 0" ? -1 : 0,
            Step = wrong == "a step below 0" ? -1 : 0,
        };
        BatchCheck.Verify(Model, batch);
    }

    private static string Refused(Action check) => Assert.Throws<ArgumentException>(check).Message;
}
