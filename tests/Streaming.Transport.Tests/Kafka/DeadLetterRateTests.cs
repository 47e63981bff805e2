using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Records;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class DeadLetterRateTests
{
    [Fact]
    public void Problem_MoreThanAllowedOfHoweverFew_IsSaidUntilItIsLess()
    {
        DeadLetterRate rate = new("items", 0.5, 1000);
        rate.Count(DeadLetterReason.None, string.Empty);
        Assert.Empty(rate.Problem);
        rate.Count(DeadLetterReason.KeyMismatch, "a");
        Assert.Empty(rate.Problem);
        rate.Count(DeadLetterReason.KeyMismatch, "the key is another");
        Assert.Equal(
            "2 of the newest 3 records of topic 'items' are dead letters, the last: KeyMismatch, the key is another",
            rate.Problem
        );
        rate.Count(DeadLetterReason.None, string.Empty);
        Assert.Empty(rate.Problem);
    }

    [Fact]
    public void Problem_All_IsSaidWhateverIsAllowed()
    {
        DeadLetterRate rate = new("items", 1, 10);
        for (int i = 0; i < 30; i++)
        {
            rate.Count(DeadLetterReason.Malformed, "x");
        }

        Assert.StartsWith("10 of the newest 10 records", rate.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Count_WindowFull_Throws()
    {
        DeadLetterRate rate = new("items", 0.5, 4);
        rate.Count(DeadLetterReason.None, string.Empty);
        rate.Count(DeadLetterReason.Malformed, "x");
        rate.Count(DeadLetterReason.Malformed, "x");
        KafkaSourceException error = Assert.Throws<KafkaSourceException>(() => rate.Count(DeadLetterReason.Malformed, "y"));
        Assert.Contains("topic 'items'", error.Message, StringComparison.Ordinal);
        Assert.Contains("the last: Malformed, y", error.Message, StringComparison.Ordinal);
    }
}
