using Streaming.Core.Options;
using Streaming.Kernels.Softmax;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Models.Tests.Options;

public sealed class ModelOptionsTests
{
    [Fact]
    public void Validate_Defaults_Pass() => Assert.Null(Record.Exception(new ModelOptions().Validate));

    [Fact]
    public void Validate_SeveralWrong_NamesEachWithValueAndBounds()
    {
        var options = new ModelOptions
        {
            Widths = [16, 8],
            Layers = 0,
            Dropout = [0.1f, 0.2f, 0.3f],
            RingMin = 0.9f,
            RingMax = 0.5f,
            ClipNorm = float.NaN,
            ItemIds = false,
        };
        OptionsException error = Assert.Throws<OptionsException>(options.Validate);
        Assert.Equal(
            """
            Widths is 16,8; allowed: 1 to 16 increasing widths, each 4 … 4096, such as 16,32,64,128.
            Layers is 0; allowed: 1 … 8.
            ItemIds is false and FeatureGroups is empty; allowed: ids, features or both, because an item needs a vector.
            Dropout is 0.1,0.2,0.3; allowed: one rate, or one for each of the 2 widths.
            RingMin is 0.9 and RingMax 0.5; allowed: 0 ≤ RingMin < RingMax < 1.
            ClipNorm is NaN; allowed: 0 … 1000000.
            """.ReplaceLineEndings(),
            error.Message
        );
    }

    [Fact]
    public void Validate_TablesBeyondAnArray_AreRefused()
    {
        var options = new ModelOptions
        {
            Widths = [4096],
            ItemCapacity = 1_000_000,
            BankCapacity = 4_194_304,
            FeatureGroups = [new FeatureGroup("x", 65536)],
        };
        OptionsException error = Assert.Throws<OptionsException>(options.Validate);
        Assert.Contains("ItemCapacity is 1000000 with D = 4096", error.Message, StringComparison.Ordinal);
        Assert.Contains("ItemCapacity is 1000000 with F = 65536", error.Message, StringComparison.Ordinal);
        Assert.Contains("BankCapacity is 4194304 with 2 · D = 8192", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LossKind.Full)]
    [InlineData(LossKind.Uniform)]
    public void Validate_CorrectionWithoutSampling_IsRefused(LossKind loss)
    {
        OptionsException error = Assert.Throws<OptionsException>(
            new ModelOptions { Loss = loss, LogQ = LogQCorrection.Corrected }.Validate
        );
        Assert.Contains("LogQ is Corrected", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LossKind.Full)]
    [InlineData(LossKind.Uniform)]
    public void Validate_MaskBySlotWhereNothingIsShared_IsRefused(LossKind loss)
    {
        OptionsException error = Assert.Throws<OptionsException>(new ModelOptions { Loss = loss, HitMask = HitMask.Slot }.Validate);
        Assert.Contains("HitMask is Slot", error.Message, StringComparison.Ordinal);
    }
}
