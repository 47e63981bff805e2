using System.Text;
using Streaming.Core.Generations;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Tests;
using Xunit;

namespace Streaming.Learning.Tests.Slices;

public sealed class SlicedModelTests
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        Layers = 1,
        ItemCapacity = 16,
        HistoryLength = 4,
        BankCapacity = 0,
        Loss = LossKind.InBatch,
    };

    [Fact]
    public void Read_WhatWasWritten_SaysVersionOptionsAndComputes()
    {
        var model = SlicedModel.Read(File(8));
        Assert.Equal(new ModelVersion(3, 7, 90), model.Version);
        Assert.Equal([4, 8], model.Model.Widths);
        Assert.Equal(0.2f, model.Model.Temperature);
        float[] vector = new float[8];
        model.CreateEncoder().Encode(new float[16], vector);
        Assert.Contains(vector, static value => value != 0);
    }

    [Theory]
    [InlineData("\"format\":\"streaming-model-1\"", "\"format\":\"streaming-model-9\"", "reads streaming-model-1")]
    [InlineData("\"generation\":\"3\"", "\"generation\":\"x\"", "generation is 'x'")]
    [InlineData("\"generation\"", "\"generatiom\"", "has no 'generation'")]
    [InlineData("layers\\u0022:1", "layers\\u0022:9", "Layers is 9")]
    public void Read_HeaderThatCannotBe_SaysWhat(string from, string to, string words)
    {
        string text = Encoding.Latin1.GetString(File(8));
        Assert.Contains(from, text, StringComparison.Ordinal);
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() =>
            SlicedModel.Read(Encoding.Latin1.GetBytes(text.Replace(from, to, StringComparison.Ordinal)))
        );
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A file that claims to hold a large model costs little more than its own size.</summary>
    [Fact]
    public void Read_LargerModelThanTheFileHolds_IsRefusedBeforeMemoryIsMade()
    {
        byte[] file = Encoding.Latin1.GetBytes(
            Encoding.Latin1.GetString(File(8)).Replace("widths\\u0022:[4,8]", "widths\\u0022:[999]", StringComparison.Ordinal)
        );
        long before = GC.GetAllocatedBytesForCurrentThread();
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => SlicedModel.Read(file));
        Assert.Contains("tower of width 999", refused.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void Read_MutatedBytes_RefusesOrReads()
    {
        byte[] original = File(8);
        (int cases, int accepted) = Fuzz.Run(
            2,
            5_000,
            8 << 20,
            random =>
            {
                byte[] bytes = [.. original];
                for (int i = random.Next(1, 5); i > 0; i--)
                {
                    bytes[random.Next(random.Next(2) == 0 ? bytes.Length : 1_500)] = (byte)random.Next(256);
                }

                try
                {
                    SlicedModel.Read(bytes.AsMemory(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length)).CreateEncoder();
                    return true;
                }
                catch (Exception exception) when (exception is InvalidDataException or StateMismatchException)
                {
                    return false;
                }
            }
        );
        Assert.InRange(accepted, 1, cases);
    }

    private static byte[] File(int width)
    {
        using var engine = new CpuEngine(Model, threads: 1);
        using TensorSource parameters = engine.CopyParameters();
        using var file = new MemoryStream();
        SlicedModel.Write(parameters, Model, width, new ModelVersion(3, 7, 90), projection: false, file);
        return file.ToArray();
    }
}
