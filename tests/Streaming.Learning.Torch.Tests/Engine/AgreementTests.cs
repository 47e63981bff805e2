using System.Globalization;
using Streaming.Kernels.Softmax;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Torch.Cuda;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>Same parameters, same batches: losses, gradients and next parameters of both engines, for each tower and loss.</summary>
public class AgreementTests(ITestOutputHelper output)
{
    private static readonly ModelOptions Small = new()
    {
        Widths = [4, 8, 16],
        Cosine = false,
        Temperature = 1,
        HistoryLength = 9,
        ItemCapacity = 64,
        BankCapacity = 30,
        Dropout = [0],
        ItemDeviation = 0.5f,
    };

    public static TheoryData<string> Cases => [.. Models().Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Step_SameStateAndBatches_SameLossesGradientsAndParameters(string name)
    {
        ModelOptions model = Models()[name];
        using var pair = new EnginePair(model, Kernels());
        bool everyStep = model.Tower != TowerKind.Mind;
        double worst = 0;
        for (int step = 1; step <= Steps; step++)
        {
            int negatives = model.Loss.DrawsUniformly() ? 11 : 0;
            var batch = new RandomBatch(
                step,
                8,
                model.HistoryLength,
                EnginePair.Items,
                everyStep && step % 2 == 0,
                negatives,
                model.Loss == LossKind.Full
            )
            {
                LearningRate = 0.01f,
                Step = step,
                Enqueue = true,
                BankEntries = model.Loss.UsesBank() ? 25 : 0,
                DrawnFrom = model.Loss.MixesDraws() ? EnginePair.Items : 0,
            };
            worst = Math.Max(worst, pair.Step(batch, 2e-5));
            if (step == 1)
            {
                // After one step the first moments are the gradients, scaled.
                double gradients = pair.CompareStates(2e-4);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first step: state off by {gradients:G3}"));
            }
        }

        double states = pair.CompareStates(2e-3);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Steps} steps: losses off by {worst:G3}, states by {states:G3}"));
        Assert.Equal(pair.Cpu.BankCount, pair.Torch.BankCount);
    }

    /// <summary>Number of steps compared.</summary>
    protected virtual int Steps => 6;

    /// <summary>Opens what runs kernels; null: torch's operations.</summary>
    internal virtual IKernelDevice? Kernels() => null;

    private static Dictionary<string, ModelOptions> Models()
    {
        var models = new Dictionary<string, ModelOptions>(StringComparer.Ordinal)
        {
            ["fmrlrec, cbns"] = Small,
            ["fmrlrec, corrected"] = Small with { LogQ = LogQCorrection.Corrected },
            ["fmrlrec, no correction, three blocks"] = Small with { LogQ = LogQCorrection.None, Layers = 3 },
            ["fmrlrec, cosine"] = Small with { Cosine = true, Temperature = 0.2f },
            ["fmrlrec, width weights"] = Small with { WidthWeights = [0.5f, 0, 2] },
            ["fmrlrec, norm after, output norm and map"] = Small with
            {
                Norm = NormPlacement.After,
                InputNorm = false,
                OutputNorm = true,
                OutputLinear = true,
            },
            ["fmrlrec, features and ids"] = Small with { FeatureGroups = [new("text", 5), new("image", 3)] },
            ["fmrlrec, features only"] = Small with { FeatureGroups = [new("text", 6)], ItemIds = false },
            ["fmrlrec, adagrad"] = Small with { IdOptimizer = IdOptimizer.RowAdagrad },
            ["fmrlrec, no clip, heavy decay"] = Small with { ClipNorm = 0, IdWeightDecay = 0.5f, WeightDecay = 0.3f },
            ["fmrlrec, tight clip"] = Small with { ClipNorm = 0.01f },
            ["fmrlrec, full"] = Small with { Loss = LossKind.Full, LogQ = LogQCorrection.None },
            ["fmrlrec, uniform"] = Small with { Loss = LossKind.Uniform, LogQ = LogQCorrection.None },
            ["fmrlrec, in batch"] = Small with { Loss = LossKind.InBatch },
            ["fmrlrec, mns"] = Small with { Loss = LossKind.Mns },
            ["fmrlrec, union"] = Small with { Loss = LossKind.Union },
            ["fmrlrec, union, distinct bank"] = Small with { Loss = LossKind.Union, DistinctBank = true },
            ["fmrlrec, union, corrected, not balanced"] = Small with
            {
                Loss = LossKind.Union,
                LogQ = LogQCorrection.Corrected,
                BalanceBank = false,
            },
            ["fmrlrec, masked by slot"] = Small with { HitMask = HitMask.Slot },
            ["one width"] = Small with { Widths = [16] },
        };
        foreach (TowerKind tower in Enum.GetValues<TowerKind>().Where(tower => tower != TowerKind.FmrlRec))
        {
            models[$"{tower}, cbns"] = Small with { Tower = tower };
            models[$"{tower}, cosine"] = Small with { Tower = tower, Cosine = true, Temperature = 0.3f };
        }

        return models;
    }
}
