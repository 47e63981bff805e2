using System.Globalization;
using Streaming.Core.Options;
using Streaming.Learning.Frequency;
using Streaming.Learning.Tests.Training;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Frequency;

public class FrequencyEstimatorTests
{
    private static readonly FrequencyOptions AsPrinted = new()
    {
        Tables = 1,
        PriorGap = 100,
        StartAtZero = true,
        AverageFirstGaps = false,
        CountSilence = false,
    };
    private static readonly int[] Steps = [500, 1000, 2000, 5000, 10_000, 10_500, 11_000, 12_000, 15_000, 20_000];

    /// <summary>Errors of an independent simulation in numpy with other seeds and another hash.</summary>
    private static readonly (double Alpha, int Tables, int Slots, double[] Errors)[] Published =
    [
        (0.001, 1, 5000, [.467, .463, .456, .416, .330, .565, .553, .529, .466, .368]),
        (0.005, 1, 5000, [.451, .416, .330, .155, .121, .642, .546, .409, .187, .159]),
        (0.01, 1, 5000, [.416, .329, .189, .127, .127, .553, .428, .224, .168, .155]),
        (0.02, 1, 5000, [.327, .187, .137, .135, .135, .454, .253, .190, .168, .160]),
        (0.05, 1, 5000, [.168, .152, .154, .158, .153, .271, .225, .198, .184, .176]),
        (0.1, 1, 5000, [.178, .178, .179, .183, .176, .277, .247, .223, .209, .202]),
        (0.01, 2, 2500, [.423, .323, .140, .070, .071, .529, .380, .163, .104, .087]),
        (0.01, 4, 1250, [.426, .324, .125, .052, .054, .502, .347, .132, .077, .064]),
    ];

    /// <remarks>
    /// Which items collide depends on the hash functions, and the table comes from one draw of them, the same for all its rows
    /// (with slightly more collisions than usual among popular items: its figures are above our mean). So
    /// the table's figure must be within the range of six draws ± 0.015.
    /// </remarks>
    [Fact]
    public void Simulation_AsPrinted_ReproducesTheTable()
    {
        const int HashSeeds = 6;
        FrequencyEstimator[][] estimators =
        [
            .. Published.Select(row =>
                Enumerable
                    .Range(1, HashSeeds)
                    .Select(seed => new FrequencyEstimator(
                        AsPrinted with
                        {
                            Alpha = row.Alpha,
                            Tables = row.Tables,
                        },
                        row.Slots,
                        (ulong)seed
                    ))
                    .ToArray()
            ),
        ];
        var simulation = new PopularitySwitch(seed: 1);
        var wrong = new List<string>();
        for (int step = 1; step <= Steps[^1]; step++)
        {
            Count(simulation.Draw(step), estimators.SelectMany(row => row));
            int column = Array.IndexOf(Steps, step);
            for (int row = 0; column >= 0 && row < Published.Length; row++)
            {
                double[] errors = [.. estimators[row].Select(simulation.Error)];
                double table = Published[row].Errors[column];
                if (table < errors.Min() - 0.015 || table > errors.Max() + 0.015)
                {
                    wrong.Add(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"alpha {Published[row].Alpha}, m {Published[row].Tables}, step {step}: {errors.Min():F4} … "
                                + $"{errors.Max():F4}, table {table}"
                        )
                    );
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public void Simulation_OwnSettings_BeatTheAlgorithmAsPrinted()
    {
        var printed = new FrequencyEstimator(AsPrinted with { Tables = 2 }, 2500, 1);
        var own = new FrequencyEstimator(new FrequencyOptions { Tables = 2 }, 2500, 1);
        var simulation = new PopularitySwitch(seed: 2);
        for (int step = 1; step <= 12_000; step++)
        {
            Count(simulation.Draw(step), [printed, own]);
            if (step is 500 or 1000 or 2000 or 10_500 or 11_000)
            {
                Assert.True(
                    simulation.Error(own) < simulation.Error(printed),
                    $"step {step}: {simulation.Error(own)} against {simulation.Error(printed)}"
                );
            }
        }
    }

    /// <summary>With a constant gap δ the estimate after t occurrences is exactly δ + (1−α)^t (δ₀ − δ).</summary>
    [Fact]
    public void Count_ConstantGap_HasTheExactBias()
    {
        const double Alpha = 0.01;
        const int Gap = 50;
        var estimator = new FrequencyEstimator(AsPrinted with { Alpha = Alpha }, 16, 1);
        for (int sight = 1; sight <= 200; sight++)
        {
            for (int batch = 0; batch < Gap; batch++)
            {
                estimator.BeginBatch(1);
            }

            estimator.Count(7);
        }

        double bias = (1 / estimator.Probability(7)) - Gap;
        Assert.Equal(6.69898, bias, tolerance: 1e-3);
    }

    [Fact]
    public void Count_FirstSight_TakesThePriorNotTheGapToTheStart()
    {
        var estimator = new FrequencyEstimator(new FrequencyOptions { PriorGap = 20 }, 1024, 1);
        Batches(estimator, 5_000, rows: 4);
        estimator.BeginBatch(4);
        estimator.Count(7);
        Assert.Equal(20 * 4, 1 / estimator.Probability(7), tolerance: 1e-3);
    }

    [Fact]
    public void Count_FirstSightWithoutPriorSetting_AssumesAllItemsAlike()
    {
        var estimator = new FrequencyEstimator(new FrequencyOptions(), 4096, 1);
        estimator.BeginBatch(10);
        for (ulong key = 0; key < 10; key++)
        {
            estimator.Count(key);
        }

        for (int batch = 0; batch < 9; batch++)
        {
            estimator.BeginBatch(10);
            for (ulong key = 0; key < 10; key++)
            {
                estimator.Count((ulong)((batch + 1) * 10) + key);
            }
        }

        // 100 items, each seen once: about 1 in 100 (a few share a slot).
        Assert.InRange(1 / estimator.Probability(99), 95, 100);
    }

    [Fact]
    public void Count_TwiceInABatch_CountsOnce()
    {
        var once = new FrequencyEstimator(new FrequencyOptions(), 1024, 1);
        var twice = new FrequencyEstimator(new FrequencyOptions(), 1024, 1);
        for (int batch = 0; batch < 50; batch++)
        {
            once.BeginBatch(8);
            twice.BeginBatch(8);
            once.Count(7);
            twice.Count(7);
            twice.Count(7);
        }

        Assert.Equal(once.Probability(7), twice.Probability(7));
        Assert.Equal(1.0 / 8, twice.Probability(7), tolerance: 1e-6);
    }

    [Fact]
    public void Probability_InEveryBatch_IsAtMostOneABatch()
    {
        var estimator = new FrequencyEstimator(new FrequencyOptions { PriorGap = 1, Alpha = 1 }, 1024, 1);
        estimator.BeginBatch(4);
        estimator.Count(7);
        estimator.BeginBatch(64);
        estimator.Count(7);
        Assert.True(estimator.Probability(7) <= 1.0 / 64);
    }

    [Fact]
    public void Probability_ItemGone_FallsWithItsSilence()
    {
        var estimator = new FrequencyEstimator(new FrequencyOptions(), 1024, 1);
        for (int batch = 0; batch < 100; batch++)
        {
            estimator.BeginBatch(10);
            estimator.Count(7);
        }

        Batches(estimator, 1_000, rows: 10);
        Assert.Equal(10_000, 1 / estimator.Probability(7), tolerance: 1e-6);
    }

    [Fact]
    public void Probability_BatchSizeChanges_IsTheSamePerDraw()
    {
        // In every second batch of 10 rows, then in every 20th batch of 1 row: always one draw in 20.
        var estimator = new FrequencyEstimator(new FrequencyOptions(), 1024, 1);
        for (int batch = 0; batch < 400; batch++)
        {
            estimator.BeginBatch(10);
            if (batch % 2 == 1)
            {
                estimator.Count(7);
            }
        }

        Assert.Equal(20, 1 / estimator.Probability(7), tolerance: 0.1);
        for (int batch = 1; batch <= 60; batch++)
        {
            estimator.BeginBatch(1);
            if (batch % 20 == 0)
            {
                estimator.Count(7);
                Assert.Equal(20, 1 / estimator.Probability(7), tolerance: 0.1);
            }
        }
    }

    [Fact]
    public void Probability_NeverSeen_IsBelowThatOfAnythingSeen()
    {
        var estimator = new FrequencyEstimator(new FrequencyOptions(), 1 << 16, 1);
        for (int batch = 0; batch < 50; batch++)
        {
            estimator.BeginBatch(10);
            estimator.Count((ulong)batch);
        }

        Assert.True(estimator.Probability(999) < Enumerable.Range(0, 50).Min(key => estimator.Probability((ulong)key)));
    }

    [Fact]
    public void SaveLoad_ThenGoOn_EqualsNeverStopped()
    {
        var options = new FrequencyOptions();
        var original = new FrequencyEstimator(options, 256, 1);
        var restored = new FrequencyEstimator(options, 256, 1);
        var random = new Random(1);
        Random(original, random, 200);
        var saved = new TensorSet();
        original.Save(saved);
        restored.Load(new TensorReader(saved));
        Random(original, new Random(2), 200);
        Random(restored, new Random(2), 200);
        for (ulong key = 0; key < 100; key++)
        {
            Assert.Equal(original.Probability(key), restored.Probability(key));
        }

        Assert.Equal(original.Draws, restored.Draws);
    }

    [Fact]
    public void Validate_EverythingWrong_NamesEverything()
    {
        var options = new FrequencyOptions
        {
            Tables = 0,
            Slots = 3,
            Alpha = 0,
            PriorGap = 0.5,
        };
        string[] errors = Assert.Throws<OptionsException>(options.Validate).Message.Split(Environment.NewLine);
        Assert.Equal(
            [
                "Tables is 0; allowed: 1 … 8.",
                "Slots is 3; allowed: 0 (automatic) or 16 … 268435456.",
                "Alpha is 0; allowed: above 0, at most 1.",
                "PriorGap is 0.5; allowed: 0 (automatic) or 1 … 1000000000.",
            ],
            errors
        );
    }

    private static void Count(ReadOnlySpan<int> items, IEnumerable<FrequencyEstimator> estimators)
    {
        foreach (FrequencyEstimator estimator in estimators)
        {
            estimator.BeginBatch(PopularitySwitch.BatchRows);
            foreach (int item in items)
            {
                estimator.Count(PopularitySwitch.Key(item));
            }
        }
    }

    private static void Batches(FrequencyEstimator estimator, int batches, int rows)
    {
        for (int batch = 0; batch < batches; batch++)
        {
            estimator.BeginBatch(rows);
        }
    }

    private static void Random(FrequencyEstimator estimator, Random random, int batches)
    {
        for (int batch = 0; batch < batches; batch++)
        {
            estimator.BeginBatch(1 + random.Next(8));
            for (int i = 0; i < 5; i++)
            {
                estimator.Count((ulong)random.Next(100));
            }
        }
    }
}
