using Streaming.Formats.Schemas;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Registry;

/// <summary>
/// The schemas that records name, fetched once each. Nothing here blocks for longer than it is told. Not for several threads at once.
/// </summary>
internal sealed class RegistrySchemas : IDisposable
{
    // Ids come from records: a hostile producer must not fill the memory.
    private const int MostSchemas = 2_000;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    // One that was missing may have been registered since, or have reached this node of the registry.
    private static readonly TimeSpan MissingInterval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<int, Entry> _schemas = [];
    private readonly CancellationTokenSource _disposed = new();
    private readonly RegistryClient _client;
    private readonly TimeProvider _time;
    private Task<WriterSchema?>? _fetch;
    private int _fetched;
    private long? _failed;
    private string _problem = string.Empty;

    /// <summary>Creates the cache; nothing connects before the first schema is needed.</summary>
    public RegistrySchemas(RegistryOptions options, TimeProvider time)
    {
        _client = new RegistryClient(new RegistryHttp(options));
        _time = time;
    }

    /// <summary>Gets what keeps a schema from being fetched, with the registry's address; empty: nothing.</summary>
    public string Problem => Volatile.Read(ref _problem);

    /// <summary>Whether it is known what a record with this id holds, or that nobody knows.</summary>
    public bool IsKnown(int id) => Find(id) is not null;

    /// <summary>The schema of an id that is known.</summary>
    /// <param name="id">The id.</param>
    /// <param name="fault">Why there is none; empty: there is.</param>
    public WriterSchema? Get(int id, out string fault)
    {
        Entry? entry = Find(id);
        fault = entry is null ? $"schema {id} has not been fetched" : entry.Fault;
        return entry?.Schema;
    }

    /// <summary>Goes on fetching a schema, for up to <paramref name="wait"/>.</summary>
    /// <returns>Whether it is known now.</returns>
    public bool Wait(int id, TimeSpan wait)
    {
        if (IsKnown(id))
        {
            return true;
        }

        if (_fetch is null && _failed is long failed && _time.GetElapsedTime(failed) < RetryInterval)
        {
            Thread.Sleep(wait);
            return false;
        }

        if (_fetch is null)
        {
            _fetched = id;
            _fetch = _client.FindAsync(id, _disposed.Token);
        }

        if (Task.WaitAny([_fetch], wait) == 0)
        {
            Take(_fetch);
            _fetch = null;
        }

        return IsKnown(id);
    }

    public void Dispose()
    {
        _disposed.Cancel();
        _disposed.Dispose();
        _client.Dispose();
    }

    private Entry? Find(int id) =>
        _schemas.TryGetValue(id, out Entry? entry) && (entry.Schema is not null || _time.GetElapsedTime(entry.Since) < MissingInterval)
            ? entry
            : null;

    private void Take(Task<WriterSchema?> fetch)
    {
        try
        {
            WriterSchema? schema = fetch.GetAwaiter().GetResult();
            Keep(schema, schema is null ? $"the registry has no schema {_fetched}" : string.Empty);
        }
        catch (FormatException exception)
        {
            Keep(null, $"schema {_fetched} cannot be used: {exception.Message}");
        }
        catch (RegistryUnavailableException exception)
        {
            _failed = _time.GetTimestamp();
            Volatile.Write(ref _problem, $"schema {_fetched} cannot be fetched, and its records wait: {exception.Message}");
        }
    }

    private void Keep(WriterSchema? schema, string fault)
    {
        if (_schemas.Count >= MostSchemas)
        {
            _schemas.Clear();
        }

        _failed = null;
        _schemas[_fetched] = new Entry(schema, fault, _time.GetTimestamp());
        Volatile.Write(ref _problem, string.Empty);
    }

    private sealed record Entry(WriterSchema? Schema, string Fault, long Since);
}
