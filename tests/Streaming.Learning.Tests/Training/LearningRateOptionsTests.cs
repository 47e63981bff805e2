using Streaming.Core.Options;
using Streaming.Learning.Training;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public class LearningRateOptionsTests
{
    [Fact]
    public void At_Constant_RisesThenStays()
    {
        var rate = new LearningRateOptions { Peak = 0.01f, WarmupSteps = 10 };
        Assert.Equal(0.001f, rate.At(0), 1e-9f);
        Assert.Equal(0.005f, rate.At(4), 1e-9f);
        Assert.Equal(0.01f, rate.At(9), 1e-9f);
        Assert.Equal(0.01f, rate.At(1_000_000_000), 1e-9f);
    }

    [Fact]
    public void At_Cosine_FallsToTheFinalShareAndStaysThere()
    {
        var rate = new LearningRateOptions
        {
            Peak = 1,
            WarmupSteps = 0,
            Shape = LearningRateShape.Cosine,
            TotalSteps = 100,
            FinalShare = 0.1f,
        };
        Assert.Equal(1, rate.At(0), 1e-6f);
        Assert.Equal(0.55f, rate.At(50), 1e-6f);
        Assert.Equal(0.1f, rate.At(100), 1e-6f);
        Assert.Equal(0.1f, rate.At(1_000), 1e-6f);
    }

    /// <summary>A batch that has grown to κ times its size is trained on at κ to the exponent times the rate; a smaller one is not.</summary>
    [Theory]
    [InlineData(512, 128, 0.5f, 0.02f)]
    [InlineData(512, 128, 1f, 0.04f)]
    [InlineData(512, 128, 0f, 0.01f)]
    [InlineData(128, 128, 0.5f, 0.01f)]
    [InlineData(3, 128, 0.5f, 0.01f)]
    [InlineData(512, 0, 0.5f, 0.01f)]
    public void At_GrownBatch_FollowsItsSize(int examples, int fullSize, float exponent, float expected)
    {
        var rate = new LearningRateOptions
        {
            Peak = 0.01f,
            WarmupSteps = 0,
            BatchExponent = exponent,
        };
        Assert.Equal(expected, rate.At(10, examples, fullSize), 1e-7f);
    }

    [Fact]
    public void Validate_CosineWithoutEnd_SaysWhatIsAllowed()
    {
        var rate = new LearningRateOptions { WarmupSteps = 100, Shape = LearningRateShape.Cosine };
        Assert.Equal(
            "TotalSteps is 0; allowed: above 100 (the warm-up) with Cosine.",
            Assert.Throws<OptionsException>(rate.Validate).Message
        );
    }
}
