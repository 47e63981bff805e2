namespace Streaming.Lab.Simulation;

/// <summary>
/// A simulated shop with sessions and learnable structure: items form clusters and follow each other in
/// chains, users have tastes, popularity is Zipf-distributed and drifts, and items and users are added. Deterministic for a seed.
/// </summary>
/// <remarks>
/// Within a session the next item is the follower of the last one (45 %), another item of the session's cluster by popularity
/// (45 %), or any popular item (10 %). A session's cluster is one of the user's three tastes, weighted by current
/// fashion. Sessions of different users overlap, so consecutive events are rarely from the same user.
/// </remarks>
internal sealed class SimulatedShop
{
    private const double FollowerShare = 0.45;
    private const double ClusterShare = 0.45;
    private const int OpenSessions = 64;

    private readonly SimulatorOptions _options;
    private readonly Random _random;
    private readonly List<SimulatedItem> _items = [];
    private readonly List<SimulatedItem>[] _byCluster;
    private readonly double[] _fashion;
    private readonly double[] _fashionGoal;
    private readonly List<int[]> _tastes = [];
    private readonly List<Session> _sessions = [];
    private readonly ZipfSampler _zipf;
    private long _events;

    /// <summary>Creates the shop.</summary>
    /// <param name="options">Validated options.</param>
    public SimulatedShop(SimulatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _random = new Random(unchecked((int)(options.Seed ^ (options.Seed >> 32))));
        _zipf = new ZipfSampler(options.Zipf);
        _byCluster = [.. Enumerable.Range(0, options.Clusters).Select(_ => new List<SimulatedItem>())];
        _fashion = new double[options.Clusters];
        _fashionGoal = new double[options.Clusters];
        for (int cluster = 0; cluster < options.Clusters; cluster++)
        {
            _fashion[cluster] = Normal();
            _fashionGoal[cluster] = Normal();
        }

        for (int item = 0; item < options.Items; item++)
        {
            AddItem(item % options.Clusters);
        }

        for (int user = 0; user < options.Users; user++)
        {
            AddUser();
        }
    }

    /// <summary>Gets all items so far; new ones are appended.</summary>
    public IReadOnlyList<SimulatedItem> Items => _items;

    /// <summary>Returns the next visit to an item.</summary>
    /// <returns>The user's and the item's number, and the event type.</returns>
    public (int User, SimulatedItem Item, string Type) Next()
    {
        if (_events % _options.EventsPerNewItem == _options.EventsPerNewItem - 1)
        {
            AddItem(_random.Next(_options.Clusters));
        }

        if (_events % 100 == 0)
        {
            Drift();
        }

        _events++;
        while (_sessions.Count < OpenSessions)
        {
            _sessions.Add(OpenSession());
        }

        int index = _random.Next(_sessions.Count);
        Session session = _sessions[index];
        SimulatedItem item = Choose(session);
        session.Last = item;
        session.Left--;
        if (session.Left == 0)
        {
            _sessions[index] = _sessions[^1];
            _sessions.RemoveAt(_sessions.Count - 1);
        }

        double type = _random.NextDouble();
        return (
            session.User,
            item,
            type < 0.55 ? "view"
            : type < 0.85 ? "click"
            : type < 0.95 ? "cart"
            : "purchase"
        );
    }

    private SimulatedItem Choose(Session session)
    {
        double way = _random.NextDouble();
        if (session.Last is { } last && way < FollowerShare)
        {
            return last.Follower;
        }

        List<SimulatedItem> cluster = _byCluster[way < FollowerShare + ClusterShare ? session.Cluster : FashionableCluster()];
        return cluster[_zipf.Next(_random, cluster.Count)];
    }

    private Session OpenSession()
    {
        int user = _random.NextDouble() < _options.NewUserShare ? AddUser() : FrequentUser();
        int length = 1;
        while (length < 1000 && _random.NextDouble() > 1 / _options.SessionLength)
        {
            length++;
        }

        return new Session
        {
            User = user,
            Cluster = ClusterFor(_tastes[user]),
            Left = length,
        };

        // A few users come often: squaring a uniform number favours low indices.
        int FrequentUser() => (int)(Math.Pow(_random.NextDouble(), 2) * _tastes.Count);
    }

    private int ClusterFor(int[] tastes)
    {
        double total = 0;
        foreach (int taste in tastes)
        {
            total += Math.Exp(_fashion[taste]);
        }

        double left = _random.NextDouble() * total;
        foreach (int taste in tastes)
        {
            left -= Math.Exp(_fashion[taste]);
            if (left <= 0)
            {
                return taste;
            }
        }

        return tastes[^1];
    }

    private int FashionableCluster()
    {
        int best = _random.Next(_options.Clusters);
        int other = _random.Next(_options.Clusters);
        return _fashion[other] > _fashion[best] ? other : best;
    }

    /// <summary>Moves every cluster's fashion one step towards its goal, and sets a new goal once it is reached.</summary>
    private void Drift()
    {
        double step = Math.Min(1, 100.0 / _options.DriftEvents * 3);
        for (int cluster = 0; cluster < _fashion.Length; cluster++)
        {
            _fashion[cluster] += (_fashionGoal[cluster] - _fashion[cluster]) * step;
            if (Math.Abs(_fashionGoal[cluster] - _fashion[cluster]) < 0.1)
            {
                _fashionGoal[cluster] = Normal();
            }
        }
    }

    private void AddItem(int cluster)
    {
        List<SimulatedItem> members = _byCluster[cluster];
        // A new item gets a random rank of popularity: some become hits at once, most do not.
        int place = _random.Next(members.Count + 1);
        float[] features = new float[_options.Features];
        for (int i = 0; i < features.Length; i++)
        {
            features[i] = (float)((ClusterDirection(cluster, i) + (0.5 * Normal())) / Math.Sqrt(features.Length));
        }

        bool isPlain = SimulatedDraw.Share(_options.Seed, _items.Count, SimulatedDraw.PlainTitle) < _options.PlainTitleShare;
        string title = isPlain ? SimulatedNames.PlainTitle(_items.Count) : SimulatedNames.Title(cluster, members.Count);
        var item = new SimulatedItem(_items.Count, cluster, title, features);
        _items.Add(item);
        members.Add(item);
        int last = members.Count - 1;
        if (last > 0)
        {
            // The items of a cluster form a ring; insert the new one into it.
            SimulatedItem before = members[_random.Next(last)];
            (item.Follower, before.Follower) = (before.Follower, item);
        }

        // The position in the list is the popularity rank.
        (members[place], members[last]) = (members[last], members[place]);
    }

    private static double ClusterDirection(int cluster, int i)
    {
        // A fixed direction per cluster: a hash of both numbers, spread over −1 … 1.
        uint hash = (uint)((cluster * 73856093) ^ (i * 19349663));
        hash ^= hash >> 13;
        hash *= 0x5bd1e995;
        hash ^= hash >> 15;
        return (hash / (double)uint.MaxValue * 2) - 1;
    }

    private int AddUser()
    {
        _tastes.Add([_random.Next(_options.Clusters), _random.Next(_options.Clusters), _random.Next(_options.Clusters)]);
        return _tastes.Count - 1;
    }

    /// <summary>Standard normal by Box and Muller.</summary>
    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());

    private sealed class Session
    {
        public required int User { get; init; }

        public required int Cluster { get; init; }

        public int Left { get; set; }

        public SimulatedItem? Last { get; set; }
    }
}
