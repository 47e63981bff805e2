using Confluent.Kafka;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>
/// `streaming run` is broken in one way after the other: health, log and metrics say each, the alert of each fires and no other, and all
/// is well again once it is mended.
/// </summary>
public sealed class KafkaStatesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task States_OfKafka_AreReportedEverywhereUntilTheyAreOver()
    {
        await using WatchedBench bench = await WatchedBench.StartAsync();
        bench.Broker.CreateTopic("items", 1);
        bench.Broker.CreateTopic("interactions.dead-letters", 1);
        bench.SendGarbage(5);
        using WatchedProcess worker = await WatchedProcess.StartAsync("run", "streaming", bench.Settings);
        OtherMember? other = null;

        await worker.FollowAsync(
            new BrokenState("the catalogue is refused as a whole, and the topic of the events is missing")
            {
                Break = static () => Task.CompletedTask,
                Mend = () =>
                {
                    bench.Broker.CreateTopic("interactions", 4);
                    bench.SendItems(1, 2);
                    bench.SendEvents(200);
                    return Task.CompletedTask;
                },
                Health = new Dictionary<string, string>
                {
                    ["kafka"] =
                        "not ready: topic 'interactions' does not exist; 5 of the newest 5 records of topic 'items' are dead letters",
                    ["catalogue"] = "degraded: none of its 5 records could be used; see the log and the dead letters",
                },
                Series =
                [
                    Problem("interactions_topic"),
                    Problem("rejected_items"),
                    "streaming_health{part=\"kafka\"}",
                    "streaming_health{part=\"catalogue\"}",
                ],
                Log = "Kafka: topic 'interactions' does not exist; waiting until this is resolved",
                LogAfter = "Health problem resolved: catalogue",
                Alerts =
                [
                    "StreamingKafkaProblem{problem=\"interactions_topic\"}",
                    "StreamingKafkaProblem{problem=\"rejected_items\"}",
                    "StreamingCatalogueUnusable{part=\"catalogue\"}",
                ],
            }
        );
        await worker.UntilWellAsync("kafka", "redis", "redis memory");
        foreach ((string topic, string problem, string level) in Refusals)
        {
            await worker.FollowAsync(
                new BrokenState($"topic {topic} is refused")
                {
                    Break = () => Refuse(bench, topic, ErrorCode.TopicAuthorizationFailed),
                    Mend = () => Refuse(bench, topic, ErrorCode.NoError),
                    Health = new Dictionary<string, string> { ["kafka"] = $"{level}not authorized to access topic '{topic}'" },
                    Series = [Problem(problem)],
                    Log = $"not authorized to access topic '{topic}'",
                    LogAfter = "Kafka: resolved",
                    Alerts = [$"StreamingKafkaProblem{{problem=\"{problem}\"}}"],
                }
            );
        }

        await worker.FollowAsync(
            new BrokenState("the times of most events are out of range")
            {
                Break = () => Task.Run(() => bench.SendEvents(300, age: TimeSpan.FromDays(20_000))),
                Mend = () => Task.Run(() => bench.SendEvents(400)),
                Health = new Dictionary<string, string>
                {
                    ["kafka"] = "degraded: 300 of the newest 500 records of topic 'interactions' are dead letters, the last: ",
                    ["events"] =
                        "degraded: of the last 500 events 0 are duplicates, 0 too late or of a type with weight 0, 300 dead letters",
                },
                Series = [Problem("rejected_events"), "streaming_health{part=\"events\"}"],
                Log = "Health problem: events: of the last",
                LogAfter = "Health problem resolved: events",
                Alerts = ["StreamingKafkaProblem{problem=\"rejected_events\"}", "StreamingEventsUnused"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("most events are late")
            {
                Break = () => Task.Run(() => bench.SendEvents(900, age: TimeSpan.FromDays(1))),
                Mend = () => Task.Run(() => bench.SendEvents(900)),
                Health = new Dictionary<string, string> { ["events"] = "degraded: of the last 1" },
                Series = ["streaming_health{part=\"events\"}"],
                Log = "too late or of a type with weight 0",
                LogAfter = "Health problem resolved: events",
                Alerts = ["StreamingEventsUnused"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("another member reads half of the partitions")
            {
                Break = async () => other = await OtherMember.JoinAsync(bench.Values.Kafka, Stop),
                Mend = async () => await other!.DisposeAsync(),
                Health = new Dictionary<string, string>
                {
                    ["kafka"] = "degraded: only 2 of 4 partitions of topic 'interactions' assigned by group 'alerts'",
                },
                Series = [Problem("assignment")],
                Log = "of topic 'interactions' assigned by group 'alerts'", // None at first, then half of them.
                LogAfter = "Kafka: resolved: ",
                Alerts = ["StreamingKafkaProblem{problem=\"assignment\"}"],
            }
        );
        await worker.FollowAsync(
            new BrokenState("no broker answers")
            {
                Break = () => Task.Run(() => bench.Broker.SetDown()),
                Mend = () => Task.Run(() => bench.Broker.SetUp()),
                Health = new Dictionary<string, string> { ["kafka"] = ": " }, // Degraded, or not ready once the partitions are revoked.
                Series = [Problem("unavailable")],
                Log = "Kafka is unavailable (",
                LogAfter = "Kafka is available again",
                Alerts = ["StreamingKafkaProblem{problem=\"unavailable\"}"],
            }
        );
        await worker.EndAsync();
    }

    private static (string Topic, string Problem, string Level)[] Refusals =>
        [
            ("items", "items_topic", "degraded: "),
            ("interactions", "interactions_topic", "not ready: "),
            ("interactions.dead-letters", "dead_letters", "degraded: dead letters: "),
        ];

    private static string Problem(string kind) => $"streaming_kafka_problem{{problem=\"{kind}\"}}";

    private static Task Refuse(WatchedBench bench, string topic, ErrorCode error)
    {
        bench.Broker.SetTopicError(topic, error);
        return Task.CompletedTask;
    }
}
