using Streaming.Core.Embeddings;
using Streaming.Core.Options;

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

    /// <summary>
    /// Gets the number of partitions. Default 256; 1 … 16,384. Readers compute keys with it, so it cannot change for an existing model.
    /// </summary>
    public int Partitions { get; init; } = RedisKeys.DefaultPartitions;

    /// <summary>Gets how numbers are stored. Default <see cref="EmbeddingElement.Float16"/>, which holds numbers up to 65,504: a vector
    /// with a larger one, of item features that are not scaled, is not stored.</summary>
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

    /// <summary>
    /// Gets how long after a user's last event the published items expire. Default 30 days; 1 s … 3650 days, or 0 for never.
    /// </summary>
    public TimeSpan UserTimeToLive { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Gets the approximate number of entries in a partition's change feed; an entry holds the changes of one write to the
    /// partition,
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

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed. No secret is in
    /// it.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        Connection(errors);
        errors.Check(RedisKeys.IsModel(Model), nameof(Model), Model, RedisKeys.AllowedModel);
        errors.Range(nameof(Partitions), Partitions, 1, RedisKeys.MaxPartitions);
        errors.Range(nameof(TimeToLiveJitter), TimeToLiveJitter, 0, 0.5);
        errors.Range(nameof(UserItems), UserItems, 0, 1024);
        errors.Range(nameof(ChangeFeedLength), ChangeFeedLength, 0, 1_000_000);
        errors.Range(nameof(BatchSize), BatchSize, 1, 65536);
        errors.Range(nameof(RetryAttempts), RetryAttempts, 1, 10);
        errors.Range(nameof(ConnectTimeout), ConnectTimeout, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(60));
        errors.Range(nameof(CommandTimeout), CommandTimeout, TimeSpan.FromSeconds(0.05), TimeSpan.FromSeconds(60));
        errors.Range(nameof(RetryDelay), RetryDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10));
        errors.Range(nameof(LeaseDuration), LeaseDuration, TimeSpan.FromSeconds(0.3), TimeSpan.FromMinutes(10));
        ZeroOr(errors, nameof(TimeToLive), TimeToLive, TimeSpan.FromDays(3650), "for ever");
        ZeroOr(errors, nameof(UserTimeToLive), UserTimeToLive, TimeSpan.FromDays(3650), "for ever");
        ZeroOr(errors, nameof(TowerInterval), TowerInterval, TimeSpan.FromDays(1), "never");
        errors.Defined(nameof(Element), Element);
        errors.Defined(nameof(Layout), Layout);
        errors.Throw();
    }

    /// <summary>Omits the connection string, which can contain a password.</summary>
    public override string ToString() => $"RedisOptions {{ Model = {Model}, Layout = {Layout}, Element = {Element} }}";

    private static void ZeroOr(OptionErrors errors, string name, TimeSpan value, TimeSpan most, string zero) =>
        errors.Check(
            value == TimeSpan.Zero || (value >= TimeSpan.FromSeconds(1) && value <= most),
            name,
            value,
            $"1s … {OptionText.Format(most)}, or 0s: {zero}"
        );

    private void Connection(OptionErrors errors)
    {
        if (RedisConnection.ErrorOf(Configuration) is { } fault)
        {
            errors.Add(nameof(Configuration), fault.Value, fault.Allowed);
        }

        foreach (
            (string name, string? file) in new[]
            {
                (nameof(PasswordFile), PasswordFile),
                (nameof(CertificateAuthorityFile), CertificateAuthorityFile),
            }
        )
        {
            errors.Check(file is null || File.Exists(file), name, file, "a file that exists");
        }
    }
}
