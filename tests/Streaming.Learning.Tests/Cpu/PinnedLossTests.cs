using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

/// <summary>
/// Ten losses of a fixed run of each tower: a change of the mathematics shows here even if gradients still agree with
/// the loss. Another vector width adds in a different order, which ten steps of Adam amplify
/// to the fourth digit at most.
/// </summary>
public sealed class PinnedLossTests
{
    public static TheoryData<TowerKind, double[]> Runs =>
        new()
        {
            { TowerKind.FmrlRec, [7.02469, 5.18352, 4.54267, 5.82572, 6.92710, 6.92367, 6.47853, 5.86966, 5.78547, 5.88077] },
            { TowerKind.YoutubeDnn, [3.54712, 3.66057, 3.53200, 4.24088, 4.82203, 4.68090, 4.90934, 4.44195, 4.24764, 4.63547] },
            { TowerKind.Gru4Rec, [3.58974, 3.64086, 3.53347, 4.30461, 4.82151, 4.62917, 4.91830, 4.38919, 4.37176, 4.60957] },
            { TowerKind.Mind, [3.42476, 3.51526, 3.44054, 4.12072, 4.69194, 4.61781, 4.74460, 4.29674, 4.09838, 4.35712] },
        };

    [Theory]
    [MemberData(nameof(Runs))]
    public void Step_FixedRun_GivesThePinnedLosses(TowerKind tower, double[] expected)
    {
        using CpuEngine engine = TestEngines.Create(TestEngines.Options(tower));
        double[] losses = TestEngines.Train(engine, 10);
        string found = string.Join(", ", losses.Select(loss => loss.ToString("F5", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.True(
            expected.Length == 10 && losses.Zip(expected, (loss, pinned) => Math.Abs(loss - pinned)).All(difference => difference < 1e-3),
            found
        );
    }
}
