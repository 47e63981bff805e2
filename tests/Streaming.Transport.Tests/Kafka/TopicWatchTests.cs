using Confluent.Kafka;
using Streaming.Transport.Kafka.Topics;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class TopicWatchTests
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void Request_IsAnsweredByALookThatBeginsAfterwards()
    {
        int looks = 0;
        using TopicWatch watch = new(() => Seen(++looks), Never);
        Assert.True(watch.Wait(1, Limit));
        long number = watch.Request();
        Assert.Equal(2, number);
        Assert.True(watch.Wait(number, Limit));
        Assert.Equal(2, watch.Report.Of("t")!.Partitions);
        Assert.True(watch.Report.IsAnswered);
    }

    [Fact]
    public async Task Request_DuringALook_IsAnsweredByTheNext()
    {
        TaskCompletionSource<IReadOnlyDictionary<string, TopicState>> first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int looks = 0;
        using TopicWatch watch = new(() => ++looks == 1 ? first.Task : Seen(9), Never);
        await KafkaHarness.WaitAsync(() => watch.Next == 2, "the first look has begun");
        long number = watch.Request();
        first.SetResult(await Seen(1)); // what it saw may be older than the request

        Assert.Equal(2, number);
        Assert.True(watch.Wait(number, Limit));
        Assert.Equal(9, watch.Report.Of("t")!.Partitions);
    }

    [Fact]
    public void Look_ThatFails_KeepsWhatWasSeenAndSaysWhy()
    {
        int looks = 0;
        using TopicWatch watch = new(
            () => ++looks == 1 ? Seen(3) : throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "no answer")),
            Never
        );
        Assert.True(watch.Wait(1, Limit));
        Assert.True(watch.Wait(watch.Request(), Limit));
        Assert.False(watch.Report.IsAnswered);
        Assert.Equal("no answer", watch.Report.Failure);
        Assert.Equal(3, watch.Report.Of("t")!.Partitions);
    }

    [Fact]
    public void Wait_LookThatDoesNotCome_GivesUp()
    {
        using TopicWatch watch = new(() => Seen(1), Never);
        Assert.True(watch.Wait(1, Limit));
        Assert.False(watch.Wait(2, TimeSpan.FromMilliseconds(20)));
    }

    private static Task<IReadOnlyDictionary<string, TopicState>> Seen(int partitions) =>
        Task.FromResult<IReadOnlyDictionary<string, TopicState>>(
            new Dictionary<string, TopicState> { ["t"] = new TopicState("t") { Partitions = partitions } }
        );
}
