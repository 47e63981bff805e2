using Streaming.Core.Options;
using Streaming.Learning.Drift;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Drift;

public class DriftDetectorTests
{
    private static readonly DriftOptions Options = new() { Window = 100, Reference = 400 };

    [Fact]
    public void Record_RecallThatDrops_IsReportedOnceWithBothFigures()
    {
        var detector = new DriftDetector(Options);
        Assert.Empty(Feed(detector, recall: 0.5, examples: 2_000, seed: 1));

        (int after, RecallDrop drop) = Assert.Single(Feed(detector, recall: 0.05, examples: 2_000, seed: 2));

        Assert.InRange(after, 30, Options.Window);
        Assert.InRange(drop.Before, 0.4, 0.6);
        Assert.True(drop.Recall < 0.5 * drop.Before);
        Assert.Equal(1, detector.Detections);
    }

    /// <summary>Recall drops within a moment when the stream changes; what falls slowly is the stream's own way.</summary>
    [Theory]
    [InlineData(0.3, 0.3)]
    [InlineData(0.3, 0.2)]
    [InlineData(0.02, 0.02)]
    [InlineData(0.02, 0.005)]
    public void Record_RecallThatStaysOrIsTooLowToTell_IsNotReported(double before, double after)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var detector = new DriftDetector(Options);
            Assert.Empty(Feed(detector, before, 3_000, seed));
            Assert.Empty(Feed(detector, after, 3_000, seed + 100));
        }
    }

    [Fact]
    public void Record_RecallThatFallsSlowly_IsNotReported()
    {
        var detector = new DriftDetector(Options);
        for (int step = 0; step < 100; step++)
        {
            Assert.Empty(Feed(detector, 0.5 * (1 - (step / 100.0)), 100, seed: step));
        }
    }

    /// <summary>The running sums against a plain computation over the last examples.</summary>
    [Fact]
    public void Record_AnyStream_AgreesWithThePlainTest()
    {
        var random = new Random(3);
        for (int stream = 0; stream < 30; stream++)
        {
            DriftOptions options = new()
            {
                Window = 50,
                Reference = 50 + random.Next(100),
                MaxShare = 0.9,
            };
            var detector = new DriftDetector(options);
            var seen = new List<double>();
            var runs = new PlainRuns();
            double recall = 0.5;
            ulong user = 1;
            for (int i = 0; i < 1_000; i++)
            {
                recall = i % 200 == 0 ? random.NextDouble() : recall;
                double hit = random.NextDouble() < recall ? random.Next(1, 5) / 4.0 : 0;
                user += random.Next(3) == 0 ? 1UL : 0;
                runs.Add(user, hit, options, seen);
                seen.Add(hit);
                bool expected = Plain(options, seen, runs.DesignEffect, out RecallDrop plain);

                Assert.Equal(expected, detector.Record(user, hit, out RecallDrop drop));
                Assert.Equal(runs.DesignEffect, detector.DesignEffect, 9);
                Assert.Equal(plain.Recall, drop.Recall, 9);
                Assert.Equal(plain.Before, drop.Before, 9);
                if (expected)
                {
                    seen.Clear();
                }
            }
        }
    }

    /// <summary>Users with long sittings, whose taste the model knows or does not: recall of 500 examples is that of five users.</summary>
    [Fact]
    public void Record_RunsOfUsersThatDiffer_AreNotTakenForADrift()
    {
        long independent = 0;
        for (int seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            DriftOptions options = new();
            var detector = new DriftDetector(options);
            var naive = new DriftDetector(options);
            for (ulong user = 1; user <= 500; user++)
            {
                double recall = random.Next(2) * 0.6;
                for (int i = 0; i < 100; i++)
                {
                    double hit = random.NextDouble() < recall ? 1 : 0;
                    detector.Record(user, hit, out _);
                    naive.Record((ulong)i + 1, hit, out _);
                }
            }

            Assert.InRange(detector.DesignEffect, 20, 60);
            Assert.Equal(0, detector.Detections);
            independent += naive.Detections;
        }

        Assert.True(independent > 0);
    }

    [Fact]
    public void Load_WhatWasSaved_ContinuesAsIfUninterrupted()
    {
        var detector = new DriftDetector(Options);
        Feed(detector, 0.5, 777, seed: 1);
        var restored = new DriftDetector(Options);
        Restore(detector, restored);

        Assert.Equal(Feed(detector, 0.05, 500, seed: 2), Feed(restored, 0.05, 500, seed: 2));
        Assert.Equal(1, restored.Detections);
    }

    [Fact]
    public void Load_OfOtherWindows_StartsAnewAndKeepsTheCount()
    {
        var detector = new DriftDetector(Options);
        Feed(detector, 0.5, 1_000, seed: 1);
        Feed(detector, 0.05, 1_000, seed: 2);
        var other = new DriftDetector(new DriftOptions { Window = 60, Reference = 100 });
        Restore(detector, other);

        Assert.Equal(1, other.Detections);
        Assert.Empty(Feed(other, 0.05, 1_000, seed: 3));
    }

    [Fact]
    public void Load_Damaged_IsRefused()
    {
        using var tensors = new TensorSet();
        tensors.Add<long>("drift.counts", [10, 500, 0, 0, 0]);
        tensors.Add<double>("drift.runs", [0, 0, 0]);
        tensors.Add<float>("drift.hits", new float[500]);

        Assert.Contains(
            "damaged",
            Assert.Throws<StateMismatchException>(() => new DriftDetector(Options).Load(new TensorReader(tensors))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Record_SwitchedOff_NeverReports() =>
        Assert.Empty(Feed(new DriftDetector(new DriftOptions { Window = 0 }), 0.5, 10_000, seed: 1));

    [Theory]
    [InlineData(49, 400, 0.5, "Window is 49; allowed: 0 (off), or 50 … 1000000")]
    [InlineData(100, 10, 0.5, "Reference is 10")]
    [InlineData(100, 400, 1.0, "MaxShare is 1; allowed: above 0, below 1")]
    public void Validate_OutOfRange_IsNamed(int window, int reference, double share, string expected)
    {
        DriftOptions options = new()
        {
            Window = window,
            Reference = reference,
            MaxShare = share,
        };
        Assert.Contains(expected, Assert.Throws<OptionsException>(options.Validate).Message, StringComparison.Ordinal);
    }

    private static List<(int After, RecallDrop Drop)> Feed(DriftDetector detector, double recall, int examples, int seed)
    {
        var random = new Random(seed);
        var drops = new List<(int, RecallDrop)>();
        for (int i = 0; i < examples; i++)
        {
            if (detector.Record((ulong)i + 1, random.NextDouble() < recall ? 1 : 0, out RecallDrop drop))
            {
                drops.Add((i, drop));
            }
        }

        return drops;
    }

    private static bool Plain(DriftOptions options, List<double> seen, double designEffect, out RecallDrop drop)
    {
        drop = default;
        if (seen.Count < options.Window + options.Reference)
        {
            return false;
        }

        double recent = seen.TakeLast(options.Window).Average();
        double before = seen.SkipLast(options.Window).TakeLast(options.Reference).Average();
        double pooled = seen.TakeLast(options.Window + options.Reference).Average();
        double variance = pooled * (1 - pooled) * ((1.0 / options.Window) + (1.0 / options.Reference)) * designEffect;
        double z = (before - recent) / Math.Sqrt(variance);
        bool isDrop = recent < options.MaxShare * before && z >= 4;
        drop = isDrop ? new RecallDrop(recent, before) : default;
        return isDrop;
    }

    private static void Restore(DriftDetector from, DriftDetector to)
    {
        using var tensors = new TensorSet();
        from.Save(tensors);
        to.Load(new TensorReader(tensors));
    }

    /// <summary>The design effect by its definition, over all runs that have ended.</summary>
    private sealed class PlainRuns
    {
        private readonly List<(double Squared, double Expected)> _ended = [];
        private readonly List<double> _run = [];
        private ulong _user;

        public double DesignEffect
        {
            get
            {
                double squared = _ended.Select((run, i) => Math.Pow(0.995, _ended.Count - 1 - i) * run.Squared).Sum();
                double expected = _ended.Select((run, i) => Math.Pow(0.995, _ended.Count - 1 - i) * run.Expected).Sum();
                return expected > 0 ? Math.Max(1, squared / expected) : 1;
            }
        }

        public void Add(ulong user, double hit, DriftOptions options, List<double> seen)
        {
            double[] window = [.. seen.TakeLast(options.Window + options.Reference)];
            if (user != _user && _run.Count > 0 && window.Length > 0)
            {
                double recall = window.Average();
                _ended.Add((Math.Pow(_run.Sum() - (_run.Count * recall), 2), _run.Count * recall * (1 - recall)));
                _run.Clear();
            }

            _user = user;
            _run.Add(hit);
        }
    }
}
