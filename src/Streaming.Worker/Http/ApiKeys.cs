using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Http;

/// <summary>The API keys of a file, which is read again when it changes. Thread-safe.</summary>
internal sealed class ApiKeys(string path, TimeProvider time, ILogger logger)
{
    /// <summary>What a file must hold.</summary>
    public const string Allowed = "one key per line, each of 16 characters or more without white space; # begins a comment";

    private const int LeastLength = 16;
    private const int MostBytes = 1 << 20;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private byte[][] _digests = [];
    private DateTime _written;
    private long _lookedAt;

    /// <summary>Why a file cannot be used; null if it can.</summary>
    public static string? Fault(string path)
    {
        try
        {
            Read(path);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return exception.Message;
        }
    }

    /// <summary>Whether a key is one of the file's. Takes the same time for each wrong key.</summary>
    public bool Accepts(string key)
    {
        byte[] digest = Digest(key);
        bool found = false;
        foreach (byte[] known in Current())
        {
            found |= CryptographicOperations.FixedTimeEquals(known, digest);
        }

        return found;
    }

    private byte[][] Current()
    {
        lock (_gate)
        {
            if (_digests.Length > 0 && time.GetElapsedTime(_lookedAt) < LookInterval)
            {
                return _digests;
            }

            _lookedAt = time.GetTimestamp();
            DateTime written = File.GetLastWriteTimeUtc(path);
            if (written != _written)
            {
                try
                {
                    _digests = [.. Read(path).Select(Digest)];
                    _written = written;
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
                {
                    // The keys of before stay valid: a file is often replaced in two steps.
                    HttpLog.ApiKeysUnreadable(logger, path, exception.Message);
                }
            }

            return _digests;
        }
    }

    private static string[] Read(string path)
    {
        if (new FileInfo(path).Length > MostBytes)
        {
            throw new FormatException($"the file has more than {MostBytes} bytes");
        }

        string[] keys = [.. File.ReadLines(path).Select(static line => line.Split('#')[0].Trim()).Where(static line => line.Length > 0)];

        // A key is never part of a message.
        return keys.Length == 0 ? throw new FormatException("it has no key")
            : keys.Index().FirstOrDefault(static pair => pair.Item.Length < LeastLength || pair.Item.Any(char.IsWhiteSpace))
                is { Item: not null } bad
                ? throw new FormatException($"key {bad.Index + 1} is shorter than {LeastLength} characters or has white space in it")
            : keys;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
