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
