using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

public class SampledMeanTests
{
    [Fact]
    public void Error_EveryExampleOnItsOwn_IsTheStandardErrorOfTheMean()
    {
        double[] values = [0, 1, 1, 0, 0.5, 1];
        var mean = new SampledMean();
        foreach (double value in values)
        {
            mean.Add(value, 1, -1);
        }

        double average = values.Average();
        double variance = values.Sum(value => (value - average) * (value - average)) / (values.Length - 1);
        Assert.Equal(average, mean.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(variance / values.Length), mean.Error, 1e-12);
    }

    [Fact]
    public void Error_ExamplesOfABatchAlike_CountsBatchesNotExamples()
    {
        var alike = new SampledMean();
        var single = new SampledMean();
        for (int batch = 0; batch < 10; batch++)
        {
            single.Add(batch % 2, 1, -1);
            for (int i = 0; i < 50; i++)
            {
                alike.Add(batch % 2, 1, batch);
            }
        }

        Assert.Equal(single.Error, alike.Error, 1e-12);
    }

    [Fact]
    public void Error_FewerThanTwoBatches_IsNotANumber()
    {
        var mean = new SampledMean();
        Assert.Equal(double.NaN, mean.Error);
        mean.Add(1, 1, 4);
        mean.Add(0, 1, 4);
        Assert.Equal(double.NaN, mean.Error);
        mean.Add(0, 1, 5);
        Assert.True(double.IsFinite(mean.Error));
    }

    /// <summary>Many streams whose second half is harder and sampled less: the mean is right on average, and the error is its spread.</summary>
    [Fact]
    public void Mean_ShareThatChanges_IsUnbiasedAndItsErrorIsItsSpread()
    {
        var random = new Random(1);
        List<double> means = [];
        List<double> errors = [];
        for (int trial = 0; trial < 400; trial++)
        {
            var mean = new SampledMean();
            for (int batch = 0; batch < 400; batch++)
            {
                double chance = batch < 200 ? 0.5 : 0.1;
                double recall = (batch < 200 ? 0.4 : 0.2) + (random.NextDouble() * 0.2) - 0.1;
                if (random.NextDouble() >= chance)
                {
                    continue;
                }

                for (int i = 0; i < 20; i++)
                {
                    mean.Add(random.NextDouble() < recall ? 1 : 0, 1 / chance, batch);
                }
            }

            means.Add(mean.Mean);
            errors.Add(mean.Error);
        }

        double center = means.Average();
        double spread = Math.Sqrt(means.Sum(mean => (mean - center) * (mean - center)) / (means.Count - 1));
        Assert.InRange(center, 0.3 - (4 * spread / Math.Sqrt(means.Count)), 0.3 + (4 * spread / Math.Sqrt(means.Count)));
        Assert.InRange(errors.Average() / spread, 0.85, 1.15);
    }

    [Fact]
    public void Read_WhatWasWritten_ContinuesWithinABatch()
    {
        var whole = new SampledMean();
        var part = new SampledMean();
        for (int i = 0; i < 30; i++)
        {
            if (i == 13)
            {
                part = Copy(part);
            }

            whole.Add(i % 3, 1 + (i % 2), i / 4);
            part.Add(i % 3, 1 + (i % 2), i / 4);
        }

        Assert.Equal((whole.Mean, whole.Error), (part.Mean, part.Error));
    }

    private static SampledMean Copy(SampledMean mean)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        mean.Write(writer);
        writer.Flush();
        stream.Position = 0;
        return SampledMean.Read(new BinaryReader(stream));
    }
}
