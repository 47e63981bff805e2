using Streaming.Core.Events;
using Streaming.Transport.Kafka.Records;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>A broken producer fills the dead-letter topic, but not the log.</summary>
public class RejectionLogTests
{
    private readonly SteppedTime _time = new();
    private readonly RecordingLogger _logger = new();

    [Fact]
    public void Add_ManyForOneReason_AreOneWarningAMinuteWithTheNewestExample()
    {
        RejectionLog log = new("interactions", _time, _logger);
        for (int i = 0; i < 1000; i++)
        {
            log.Add(2, i, DeadLetterReason.NoUser, "user_id is missing");
        }

        Assert.Equal("interactions: 1 unusable records (NoUser); the last at [2]@0: user_id is missing", Assert.Single(_logger.Lines));
        _time.Advance(TimeSpan.FromSeconds(59));
        log.Report(isEnd: false);
        Assert.Single(_logger.Lines);
        _time.Advance(TimeSpan.FromSeconds(1));
        log.Report(isEnd: false);
        log.Report(isEnd: false);
        Assert.Equal(2, _logger.Lines.Count);
        Assert.Equal("interactions: 999 unusable records (NoUser); the last at [2]@999: user_id is missing", _logger.Lines.Last());
    }

    [Fact]
    public void Add_AnotherReason_IsLoggedAtOnce()
    {
        RejectionLog log = new("items", _time, _logger);
        log.Add(0, 1, DeadLetterReason.KeyMismatch, "a");
        log.Add(0, 2, DeadLetterReason.Malformed, "b");
        Assert.Equal(2, _logger.Lines.Count);
    }

    [Fact]
    public void Report_AtTheEnd_SaysWhatIsLeft()
    {
        RejectionLog log = new("items", _time, _logger);
        log.Add(0, 1, DeadLetterReason.KeyMismatch, "a");
        log.Report(isEnd: true);
        Assert.Single(_logger.Lines);
        log.Add(0, 2, DeadLetterReason.KeyMismatch, "b");
        log.Report(isEnd: true);
        Assert.Equal("items: 1 unusable records (KeyMismatch); the last at [0]@2: b", _logger.Lines.Last());
    }
}
