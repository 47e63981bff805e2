using Streaming.Core.Embeddings;
using Streaming.Core.Options;

namespace Streaming.Serving;

/// <summary>What a reader has to know to find a model in Redis. It must agree with the trainer's settings.</summary>
public sealed record ServingOptions
{
    /// <summary>Gets the name of the model. Default "items".</summary>
    public string Model { get; init; } = "items";

    /// <summary>Gets the number of partitions. Default 256; 1 … 16,384; the trainer's.</summary>
    public int Partitions { get; init; } = RedisKeys.DefaultPartitions;

    /// <summary>Gets a value indicating whether every width has a key of its own. Default false; the trainer's.</summary>
    public bool KeyPerWidth { get; init; }

    /// <summary>Gets the generation to read. Default 0: the one that the store's pointer names.</summary>
    public uint Generation { get; init; }

    /// <summary>Gets how long the pointer to the generation is believed before it is read again. Default 1 s; 0 … 1 h.</summary>
    public TimeSpan PointerLifetime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the most keys of one MGET. Default 500, about 1 ms of the server's time; 1 … 10,000.</summary>
    public int KeysPerCall { get; init; } = 500;

    /// <summary>Gets how long to wait for an answer. Default 1 s; 1 ms … 60 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets how often a failed read is tried again. Default 2; 0 … 10.</summary>
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
