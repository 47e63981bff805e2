using System.Globalization;
using System.Text;
using Streaming.Core.Hashing;

namespace Streaming.Core.Embeddings;

/// <summary>
/// Names of all keys of a model in Redis. Keys that one script or one MGET touches share the hash tag <c>{tag}</c>, so every
/// operation is valid in a cluster.
/// </summary>
/// <remarks>
/// The generation is part of the key: two generations coexist as two key spaces, and one SET of <see cref="Active"/> moves
/// every reader from one to the other.
/// </remarks>
public sealed class RedisKeys
{
    /// <summary>The default number of partitions.</summary>
    public const int DefaultPartitions = 256;

    /// <summary>The greatest number of partitions.</summary>
    public const int MaxPartitions = 16_384;

    /// <summary>What a model's name may be, for an error message.</summary>
    public const string AllowedModel = "1 to 64 letters, digits, '.', '_' and '-'";

    private const int MaxIdBytes = 256;

    private readonly IReadOnlyList<string>? _tags;

    /// <summary>Initializes a new instance of the <see cref="RedisKeys"/> class.</summary>
    /// <param name="model">Name of the model: 1 … 64 letters, digits, '.', '_' and '-'.</param>
    /// <param name="partitions">Number of partitions P, 1 … 16,384. Fixed for the model's lifetime: readers compute keys from it.</param>
    /// <param name="layout">The version of the key layout (<see cref="KeyLayout"/>), 1 or 2; the store records it per model.</param>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public RedisKeys(string model, int partitions = DefaultPartitions, int layout = KeyLayout.Newest)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!IsModel(model))
        {
            throw new ArgumentException($"Model is '{model}'; allowed: {AllowedModel}.", nameof(model));
        }

        if (partitions is < 1 or > MaxPartitions)
        {
            throw new ArgumentException($"Partitions is {partitions}; allowed: 1 to {MaxPartitions}.", nameof(partitions));
        }

        if (layout is < 1 or > KeyLayout.Newest)
        {
            throw new ArgumentException($"Layout is {layout}; allowed: 1 to {KeyLayout.Newest}.", nameof(layout));
        }

        Model = model;
        Partitions = partitions;
        Layout = new KeyLayout(layout, partitions);
        _tags = layout == 1 ? null : HashSlots.EvenTags(partitions);
    }

    /// <summary>Whether a text can be a model's name.</summary>
    public static bool IsModel(string text) =>
        text is { Length: >= 1 and <= 64 } && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>Gets the model's name.</summary>
    public string Model { get; }

    /// <summary>Gets the number of partitions P.</summary>
    public int Partitions { get; }

    /// <summary>Gets the version of the key layout.</summary>
    public KeyLayout Layout { get; }

    /// <summary>Gets the key of the layout record.</summary>
    public string LayoutRecord => LayoutRecordOf(Model);

    /// <summary>Gets the key of the active generation, a decimal number.</summary>
    public string Active => $"e:{Model}:active";

    /// <summary>Gets the key in which the ranks of a job tell how far they are, for each other only: another job of the model, which stands
    /// by, has its own.</summary>
    public static string RanksOf(string model, ulong job) => $"m:{model}:ranks:{job:x16}";

    /// <summary>Gets the key of a model's layout record; it is the same for every layout.</summary>
    public static string LayoutRecordOf(string model) => $"m:{model}:layout";

    /// <summary>Computes the hash of an item's or a user's id: XXH64 of its UTF-8 bytes, seed 0.</summary>
    public static ulong Hash(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        Span<byte> small = stackalloc byte[MaxIdBytes];
        return Encoding.UTF8.TryGetBytes(id, small, out int written)
            ? XxHash64.Hash(small[..written])
            : XxHash64.Hash(Encoding.UTF8.GetBytes(id));
    }

    /// <summary>Computes the partition of an item or a user: the id's hash modulo P.</summary>
    public int Partition(string id) => Partition(Hash(id));

    /// <summary>Computes the partition from the hash of the id.</summary>
    public int Partition(ulong key) => (int)(key % (ulong)Partitions);

    /// <summary>Gets the hash tag of a partition: all its keys share it, and so a slot.</summary>
    public string Tag(int partition) => _tags?[partition] ?? partition.ToString(CultureInfo.InvariantCulture);

    /// <summary>Gets the change stream of a partition.</summary>
    public string Changes(int partition) => $"e:{Model}:changes:{{{Tag(partition)}}}";

    /// <summary>Gets the lease of a generation's trainer: the holder, with the remaining time as TTL. Each generation has its
    /// own trainer, so the old one stays fresh until readers have moved to the new one.</summary>
    public string LeaseHolder(uint generation = 1) => $"l:{Model}:{{lease}}{Mark(generation)}:holder";

    /// <summary>Gets the last fencing token issued for a generation.</summary>
    public string LeaseToken(uint generation = 1) => $"l:{Model}:{{lease}}{Mark(generation)}:token";

    /// <summary>Gets the fence of a partition: a hash of the newest token of each generation (<c>t</c>, <c>t2</c>, <c>t3</c>, …)
    /// and the number of its last change (<c>n</c>).</summary>
    public string Fence(int partition) => $"l:{Model}:{{{Tag(partition)}}}";

    /// <summary>Gets the history of a user, keyed by the hash of the user's id as 16 hexadecimal digits.</summary>
    /// <param name="user"><see cref="XxHash64"/> of the id's UTF-8 bytes.</param>
    public string User(ulong user) => $"u:{Model}:{{{Tag(Partition(user))}}}:{user:x16}";

    /// <summary>Gets the lists of an item (<see cref="RelatedItemsValue"/>): named by the hash of the item's id, as 16 hexadecimal
    /// digits, because readers know a user's items by their hashes.</summary>
    /// <param name="generation">The generation, 1 and up.</param>
    /// <param name="item"><see cref="XxHash64"/> of the id's UTF-8 bytes.</param>
    public string Related(uint generation, ulong item) => $"m:{Model}:related:{generation}:{{{Tag(Partition(item))}}}:{item:x16}";

    /// <summary>Gets the facts of an item (<see cref="ItemFactsValue"/>), named like its lists.</summary>
    /// <param name="generation">The generation, 1 and up.</param>
    /// <param name="item"><see cref="XxHash64"/> of the id's UTF-8 bytes.</param>
    public string Facts(uint generation, ulong item) => $"m:{Model}:facts:{generation}:{{{Tag(Partition(item))}}}:{item:x16}";

    /// <summary>Gets the user tower of a generation, sliced to a width.</summary>
    public string Tower(uint generation, int width) => $"m:{Model}:tower:{generation}:{width}";

    /// <summary>Gets the record of a generation (<c>GenerationRecord</c>).</summary>
    public string Generation(uint generation) => $"m:{Model}:generation:{generation}";

    /// <summary>Opens the key space of a generation.</summary>
    /// <param name="generation">The generation, 1 and up.</param>
    /// <param name="width">The width when each width has its own key; null when one key serves all widths.</param>
    public ItemKeySpace Items(uint generation, int? width = null) => new(this, generation, width);

    // Generation 1 keeps the key names that predate generations.
    private static string Mark(uint generation) => generation == 1 ? string.Empty : $":{generation}";
}
