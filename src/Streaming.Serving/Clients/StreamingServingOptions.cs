using Streaming.Core.Embeddings;
using Streaming.Core.Options;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;

namespace Streaming.Serving.Clients;

/// <summary>What <see cref="StreamingClient"/> reads and keeps. Settable, so that it can be bound to a section of configuration.</summary>
public sealed class StreamingServingOptions
{
    /// <summary>Gets or sets StackExchange.Redis's connection string, as "redis-1:6379,password=…". Default null: the
    /// <c>IConnectionMultiplexer</c> of the container.</summary>
    public string? Redis { get; set; }

    /// <summary>Gets or sets the name of the model. Default "items"; as the trainer's <c>STREAMING__Redis__Model</c>.</summary>
    public string Model { get; set; } = "items";

    /// <summary>Gets or sets the number of partitions. Default 256; 1 … 16,384; as the trainer's
    /// <c>STREAMING__Redis__Partitions</c>.</summary>
    public int Partitions { get; set; } = RedisKeys.DefaultPartitions;

    /// <summary>Gets or sets a value indicating whether each width has its own key. Default false; as the trainer's
    /// <c>STREAMING__Redis__Layout</c>.</summary>
    public bool KeyPerWidth { get; set; }

    /// <summary>Gets or sets the generation to read. Default 0: the one that the trainer's operators made the active one. With a number, a
    /// second client can serve a share of the users (<see cref="UserShare"/>) from a generation on trial.</summary>
    public uint Generation { get; set; }

    /// <summary>Gets or sets the timeout of a read attempt. Default 1 s; 1 ms … 60 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the number of retries of a failed read. Default 2; 0 … 10.</summary>
    public int RetryAttempts { get; set; } = 2;

    /// <summary>Gets or sets a value indicating whether the catalogue is kept in memory. Default true; false: lookups by id only, no
    /// similar items and no recommendations.</summary>
    public bool Index { get; set; } = true;

    /// <summary>Gets or sets the model's nested widths, strictly increasing, for a store that does not record them. Default 16, 32, 64,
    /// 128, as the trainer's <c>STREAMING__Model__Widths</c>.</summary>
    public IReadOnlyList<int> Widths { get; set; } = [16, 32, 64, 128];

    /// <summary>Gets or sets the maximum width that the index keeps. Default 65,535: all of the model's.</summary>
    public int MaxWidth { get; set; } = EmbeddingFormat.MaxDimension;

    /// <summary>Gets or sets how searches may be approximate, for large catalogues; the package Streaming.Serving.Approximate has what
    /// makes the graphs. Default null: every search is exact.</summary>
    public ApproximateOptions? Approximate { get; set; }

    /// <summary>Gets or sets the pause between refreshes of the index. Default 1 s; 10 ms … 1 h.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the maximum age of the index while Redis cannot be read; beyond it calls that need the index fail. Default
    /// 10 min; 0 … 7 days.</summary>
    public TimeSpan MaxStale { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(
            Redis is not { Length: 0 },
            nameof(Redis),
            string.Empty,
            "a connection string, or null for the container's connection"
        );
        errors.Range(nameof(RefreshInterval), RefreshInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        errors.Range(nameof(MaxStale), MaxStale, TimeSpan.Zero, TimeSpan.FromDays(7));
        errors.Include(ToIndex().Validate);
        errors.Include(ToServing().Validate);
        errors.Throw();
    }

    internal ServingOptions ToServing() =>
        new()
        {
            Model = Model,
            Partitions = Partitions,
            KeyPerWidth = KeyPerWidth,
            Generation = Generation,
            Timeout = Timeout,
            RetryAttempts = RetryAttempts,
        };

    internal IndexOptions ToIndex() =>
        new()
        {
            Widths = Widths,
            MaxWidth = MaxWidth,
            Approximate = Approximate,
        };
}
