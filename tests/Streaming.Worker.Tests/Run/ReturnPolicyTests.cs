using Streaming.Core.Positions;
using Streaming.Learning.Training;
using Streaming.Transport.Kafka.Topics;
using Streaming.Worker.Run;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Run;

public sealed class ReturnPolicyTests : IDisposable
{
    private static readonly StreamPosition[] OldEnds = [new("interactions", 0, 7)];
    private static readonly NonFiniteLossException Diverged = new(3, 100, double.NaN);
    private static readonly TopicReplacedException Replaced = new("Topic 'interactions' was deleted and recreated", OldEnds);
    private readonly RecordingLoggers _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Allows_Divergence_OnceOnly()
    {
        ReturnPolicy policy = Create(skipMissing: false);
        Assert.True(policy.Allows(Diverged));
        Assert.True(policy.Allows(Diverged)); // asking alone changes nothing

        Assert.Empty(policy.Take(Diverged));

        Assert.False(policy.Allows(Diverged));
        Assert.Throws<ArgumentException>(() => policy.Take(Diverged));
        Assert.Equal(1, _log.Count("Training diverged"));
    }

    [Fact]
    public void Allows_ReplacedTopicThatMayBeSkipped_EveryTimeWithItsOldEnds()
    {
        ReturnPolicy policy = Create(skipMissing: true);
        for (int i = 1; i <= 3; i++)
        {
            Assert.True(policy.Allows(Replaced));
            Assert.Equal(OldEnds, policy.Take(Replaced));
            Assert.Equal(i, _log.Count("Returning to the last checkpoint: Topic 'interactions' was deleted"));
        }

        Assert.True(policy.Allows(Diverged)); // a replaced topic does not use up the return after divergence
    }

    [Fact]
    public void Allows_ReplacedTopicThatMayNotBeSkipped_Never()
    {
        ReturnPolicy policy = Create(skipMissing: false);

        Assert.False(policy.Allows(Replaced));
        Assert.Throws<ArgumentException>(() => policy.Take(Replaced));
        Assert.Empty(_log.Text);
    }

    [Fact]
    public void Allows_AnyOtherFailure_Never() => Assert.False(Create(skipMissing: true).Allows(new InvalidDataException()));

    private ReturnPolicy Create(bool skipMissing) => new(skipMissing, _log);
}
