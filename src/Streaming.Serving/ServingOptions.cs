using Streaming.Core.Embeddings;
using Streaming.Core.Options;

namespace Streaming.Serving;

/// <summary>Where a reader finds a model in Redis. Must match the trainer's settings.</summary>
public sealed record ServingOptions
{
    /// <summary>Gets the name of the model. Default "items".</summary>
    public string Model { get; init; } = "items";

    /// <summary>Gets the number of partitions. Default 256; 1 … 16,384; as set for the trainer.</summary>
    public int Partitions { get; init; } = RedisKeys.DefaultPartitions;

    /// <summary>Gets a value indicating whether each width has its own key. Default false; as set for the trainer.</summary>
    public bool KeyPerWidth { get; init; }

    /// <summary>Gets the generation to read. Default 0: the active one.</summary>
    public uint Generation { get; init; }

    /// <summary>Gets how long the active generation is cached before it is read again. Default 1 s; 0 … 1 h.</summary>
    public TimeSpan PointerLifetime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the maximum number of keys per MGET. Default 500, about 1 ms of the server's time; 1 … 10,000.</summary>
    public int KeysPerCall { get; init; } = 500;

    /// <summary>Gets the timeout of a read attempt. Default 1 s; 1 ms … 60 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the number of retries of a failed read. Default 2; 0 … 10.</summary>
    public int RetryAttempts { get; init; } = 2;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(RedisKeys.IsModel(Model), nameof(Model), Model, RedisKeys.AllowedModel);
        errors.Range(nameof(Partitions), Partitions, 1, RedisKeys.MaxPartitions);
        errors.Range(nameof(PointerLifetime), PointerLifetime, TimeSpan.Zero, TimeSpan.FromHours(1));
        errors.Range(nameof(KeysPerCall), KeysPerCall, 1, 10_000);
        errors.Range(nameof(Timeout), Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(60));
        errors.Range(nameof(RetryAttempts), RetryAttempts, 0, 10);
        errors.Throw();
    }
}
