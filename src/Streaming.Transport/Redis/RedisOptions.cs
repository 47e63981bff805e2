using Streaming.Core.Embeddings;

namespace Streaming.Transport.Redis;

/// <summary>The connection to Redis, and what is written there.</summary>
public sealed record RedisOptions
{
    /// <summary>Gets the connection string of StackExchange.Redis: <c>host:port,host:port,user=…,ssl=true,…</c>; any nodes of a
    /// cluster, a primary and its replicas, or the sentinels with <c>serviceName=…</c>. Default localhost:6379.</summary>
    public string Configuration { get; init; } = "localhost:6379";

    /// <summary>Gets a file that contains the password, for mounted secrets. Default none. Overrides a password in
    /// <see cref="Configuration"/>.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Gets a PEM file with certificate authorities for the server's certificate, in addition to those that the
    /// machine trusts. Default none. Certificates are always verified.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>Gets the name of the model, part of every key. Default "items"; letters, digits, '.', '_', '-', at most 64.</summary>
    public string Model { get; init; } = "items";

    /// <summary>Gets the number of partitions. Default 256; 1 … 16,384. Readers compute keys with it, so it cannot change for an existing model.</summary>
    public int Partitions { get; init; } = RedisKeys.DefaultPartitions;

    /// <summary>Gets how numbers are stored. Default <see cref="EmbeddingElement.Float16"/>.</summary>
    public EmbeddingElement Element { get; init; } = EmbeddingElement.Float16;

    /// <summary>Gets a value indicating whether the norm of each width is stored, for cosine scores. Default false.</summary>
    public bool Norms { get; init; }

    /// <summary>Gets how widths are stored in Redis. Default <see cref="EmbeddingKeyLayout.Nested"/>.</summary>
    public EmbeddingKeyLayout Layout { get; init; } = EmbeddingKeyLayout.Nested;

    /// <summary>Gets how long after its last write a value expires. Default 7 days; 1 s … 3650 days, or 0 for never.</summary>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Gets the relative jitter of the time to live, so that values do not all expire at once. Default 0.1; 0 … 0.5.</summary>
    public double TimeToLiveJitter { get; init; } = 0.1;

    /// <summary>Gets how many of each user's newest items are published, for tiers that compute user vectors. Default 50; 0 (none) …
    /// 1,024, at most the length of the histories.</summary>
    public int UserItems { get; init; } = 50;

    /// <summary>Gets how long after a user's last event the published items expire. Default 30 days; 1 s … 3650 days, or 0 for never.</summary>
    public TimeSpan UserTimeToLive { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Gets the approximate number of entries in a partition's change feed; an entry holds the changes of one write to the partition,
    /// at most 256 items. Default 256; 0 (no feed) … 1,000,000.</summary>
    public int ChangeFeedLength { get; init; } = 256;

    /// <summary>Gets how often the user tower is published at each width, for tiers that compute user vectors; wide
    /// towers less often: 1 MiB/s at most. Default 10 s (about 80 kB/s with the default model); 1 s … 1 day, or 0 for never.</summary>
    public TimeSpan TowerInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets the maximum number of items taken and written at a time. Default 4096; 1 … 65,536.</summary>
    public int BatchSize { get; init; } = 4096;

    /// <summary>Gets the connect timeout. Default 5 s; 0.1 … 60 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the command timeout. Default 5 s; 0.05 … 60 s.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets how often a write is retried before its items are queued again. Default 3; 1 … 10.</summary>
    public int RetryAttempts { get; init; } = 3;

    /// <summary>Gets the delay before the first retry; it doubles each time. Default 100 ms; 1 ms … 10 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets how long a trainer's lease is valid without renewal. Default 15 s; 0.3 s … 10 min.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Returns all errors, each with the setting, its value and what is allowed. None contains a secret.</summary>
    public IReadOnlyList<string> Errors()
    {
        List<string> errors = [];
        Text(errors);
        Range(errors, nameof(Partitions), Partitions, 1, 16384);
        Range(errors, nameof(TimeToLiveJitter), TimeToLiveJitter, 0, 0.5);
        Range(errors, nameof(UserItems), UserItems, 0, 1024);
        Range(errors, nameof(ChangeFeedLength), ChangeFeedLength, 0, 1_000_000);
        Range(errors, nameof(BatchSize), BatchSize, 1, 65536);
        Range(errors, nameof(RetryAttempts), RetryAttempts, 1, 10);
        Range(errors, nameof(ConnectTimeout), ConnectTimeout, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(60));
        Range(errors, nameof(CommandTimeout), CommandTimeout, TimeSpan.FromSeconds(0.05), TimeSpan.FromSeconds(60));
        Range(errors, nameof(RetryDelay), RetryDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10));
        Range(errors, nameof(LeaseDuration), LeaseDuration, TimeSpan.FromSeconds(0.3), TimeSpan.FromMinutes(10));
        Life(errors, nameof(TimeToLive), TimeToLive);
        Life(errors, nameof(UserTimeToLive), UserTimeToLive);

        if (TowerInterval != TimeSpan.Zero)
        {
            Range(errors, nameof(TowerInterval), TowerInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        }

        Defined(errors, nameof(Element), Element);
        Defined(errors, nameof(Layout), Layout);
        return errors;
    }

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentException">Lists all errors.</exception>
    public void Validate()
    {
        IReadOnlyList<string> errors = Errors();
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors));
        }
    }

    /// <summary>Omits the connection string, which can contain a password.</summary>
    public override string ToString() => $"RedisOptions {{ Model = {Model}, Layout = {Layout}, Element = {Element} }}";

    private static void Range<T>(List<string> errors, string name, T value, T low, T high)
        where T : IComparable<T>
    {
        // Negated, so that NaN is out of range.
        if (!(value.CompareTo(low) >= 0 && value.CompareTo(high) <= 0))
        {
            errors.Add($"Redis {name} is {value}; allowed: {low} to {high}.");
        }
    }

    private static void Life(List<string> errors, string name, TimeSpan value)
    {
        if (value != TimeSpan.Zero)
        {
            Range(errors, name, value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650));
        }
    }

    private static void Defined<T>(List<string> errors, string name, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            errors.Add($"Redis {name} is {value}; allowed: {string.Join(", ", Enum.GetNames<T>())}.");
        }
    }

    private void Text(List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(Configuration))
        {
            errors.Add("Redis Configuration is empty; allowed: host:port and settings of StackExchange.Redis.");
        }
        else if (RedisConnection.ErrorOf(Configuration) is string unreadable)
        {
            errors.Add(unreadable);
        }

        foreach ((string name, string? file) in new[] { (nameof(PasswordFile), PasswordFile), (nameof(CertificateAuthorityFile), CertificateAuthorityFile) })
        {
            if (file is not null && !File.Exists(file))
            {
                errors.Add($"Redis {name} is '{file}'; no such file.");
            }
        }

        try
        {
            _ = new RedisKeys(Model, 1);
        }
        catch (ArgumentException error)
        {
            errors.Add($"Redis {error.Message}");
        }
    }
}
