using Streaming.Core.Options;
using Streaming.Lab.Simulation;
using Xunit;

namespace Streaming.Lab.Tests.Simulation;

public class SimulatedShopTests
{
    [Fact]
    public void Next_SameSeed_GivesTheSameStream()
    {
        Assert.Equal(Take(new SimulatorOptions { Seed = 7 }, 2000), Take(new SimulatorOptions { Seed = 7 }, 2000));
        Assert.NotEqual(Take(new SimulatorOptions { Seed = 7 }, 2000), Take(new SimulatorOptions { Seed = 8 }, 2000));
    }

    [Fact]
    public void Next_ItemsAndUsers_AreBornOverTime()
    {
        var options = new SimulatorOptions
        {
            Items = 100,
            Users = 10,
            Clusters = 10,
            EventsPerNewItem = 10,
        };
        var shop = new SimulatedShop(options);
        int lastUser = 0;
        for (int i = 0; i < 1000; i++)
        {
            lastUser = Math.Max(lastUser, shop.Next().User);
        }

        Assert.Equal(200, shop.Items.Count);
        Assert.True(lastUser >= 10, $"no new user came: {lastUser}");
        Assert.Equal(shop.Items.Count, shop.Items.Select(item => item.Id).Distinct().Count());
        Assert.Equal(shop.Items.Count, shop.Items.Select(item => item.Title).Distinct().Count());
    }

    [Fact]
    public void Next_FollowersAndTastes_MakeTheNextItemPredictable()
    {
        var shop = new SimulatedShop(new SimulatorOptions());
        var last = new Dictionary<int, SimulatedItem>();
        int pairs = 0;
        int followed = 0;
        int sameCluster = 0;
        for (int i = 0; i < 20_000; i++)
        {
            (int user, SimulatedItem item, _) = shop.Next();
            if (last.TryGetValue(user, out SimulatedItem? before))
            {
                pairs++;
                followed += before.Follower == item ? 1 : 0;
                sameCluster += before.Cluster == item.Cluster ? 1 : 0;
            }

            last[user] = item;
        }

        // 45 % follow and 90 % stay in the cluster within a session; between sessions and across open ones of a user, less.
        Assert.InRange(followed / (double)pairs, 0.25, 0.5);
        Assert.InRange(sameCluster / (double)pairs, 0.5, 0.95);
    }

    [Fact]
    public void Next_Popularity_DriftsOverTheStream()
    {
        var shop = new SimulatedShop(new SimulatorOptions { DriftEvents = 5_000 });
        double[] early = Clusters(shop, 10_000);
        _ = Clusters(shop, 20_000);
        double[] late = Clusters(shop, 10_000);

        double moved = early.Zip(late, (a, b) => Math.Abs(a - b)).Sum() / 2;
        Assert.True(moved > 0.1, $"only {moved:P1} of the visits moved to other clusters");
    }

    [Fact]
    public void Features_ItemsOfACluster_AreAlike()
    {
        var shop = new SimulatedShop(new SimulatorOptions { Features = 32 });
        float[] first = shop.Items[0].Features;
        float[] same = shop.Items[50].Features;
        float[] other = shop.Items[1].Features;

        Assert.Equal(shop.Items[0].Cluster, shop.Items[50].Cluster);
        Assert.True(Dot(first, same) > Dot(first, other));
    }

    [Fact]
    public void Options_OutOfRange_AreAllNamed()
    {
        string message = Assert.Throws<OptionsException>(() => new SimulatorOptions { Items = 1, DuplicateShare = 2 }.Validate()).Message;

        Assert.Contains("Items is 1; allowed: 100 … 1000000.", message, StringComparison.Ordinal);
        Assert.Contains("DuplicateShare is 2; allowed: 0 … 0.5.", message, StringComparison.Ordinal);
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Clusters(SimulatedShop shop, int count)
    {
        double[] share = new double[50];
        for (int i = 0; i < count; i++)
        {
            share[shop.Next().Item.Cluster] += 1.0 / count;
        }

        return share;
    }

    private static List<string> Take(SimulatorOptions options, int count)
    {
        var shop = new SimulatedShop(options);
        return [.. Enumerable.Range(0, count).Select(_ => shop.Next()).Select(visit => $"{visit.User} {visit.Item.Id} {visit.Type}")];
    }
}
