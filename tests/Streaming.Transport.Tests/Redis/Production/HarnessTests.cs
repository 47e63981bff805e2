using Streaming.Tests;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

public sealed class HarnessTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    [Fact]
    public async Task Cluster_FailOverAndBack_SlotsStayServed()
    {
        RedisCluster cluster = fixture.Cluster;
        RedisNode master = await cluster.MasterOfAsync(0);
        RedisNode replica = Assert.Single(await cluster.ReplicasOfAsync(master));
        await cluster.FailOverAsync(replica);
        Assert.Same(replica, await cluster.MasterOfAsync(0));
        await replica.KillAsync();
        await cluster.FailOverAsync(master, force: true);
        Assert.Same(master, await cluster.MasterOfAsync(0));
        await replica.RestartAsync();
        await cluster.WaitUntilOkAsync();
        Assert.Equal("slave", await replica.InfoAsync("replication", "role"));
    }

    [Fact]
    public async Task Sentinel_PrimaryKilled_NamesTheReplica()
    {
        await using RedisReplication set = await RedisReplication.StartAsync(sentinels: 3);
        await set.Nodes[0].KillAsync();
        Assert.Same(set.Nodes[1], await set.WaitForFailOverAsync(set.Nodes[0]));
    }
}
