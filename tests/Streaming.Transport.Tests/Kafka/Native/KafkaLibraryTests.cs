using System.Diagnostics;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Streaming.Lab.Embedded;
using Streaming.Transport.Kafka.Native;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Native;

public sealed class KafkaLibraryTests : IDisposable
{
    private const string Build = "centos8-librdkafka.so";
    private static readonly string Real = KafkaLibrary.Load().Path;
    private readonly string _folder = Directory.CreateTempSubdirectory("library-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_ClientAndEmbeddedBroker_UseOneLibraryOfTheApplication()
    {
        KafkaLibraryFile file = KafkaLibrary.Load();
        using EmbeddedBroker broker = new();
        using IProducer<Null, Null> producer = new ProducerBuilder<Null, Null>(
            new ProducerConfig { BootstrapServers = broker.BootstrapServers }
        ).Build();

        // The sixth column is the file.
        string[] mapped =
        [
            .. File.ReadLines("/proc/self/maps")
                .Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => columns.Length == 6 && columns[5].Contains("rdkafka", StringComparison.Ordinal))
                .Select(columns => columns[5].Trim())
                .Distinct(),
        ];
        Assert.Equal([file.Path], mapped);
        Assert.StartsWith(AppContext.BaseDirectory, file.Path, StringComparison.Ordinal);
        Assert.StartsWith(file.Version.ToString(3), Library.VersionString, StringComparison.Ordinal);
        Assert.Equal(typeof(Library).Assembly.GetName().Version!.ToString(2), file.Version.ToString(2));
    }

    [Fact]
    public async Task Load_AnotherLibraryInTheLoadersPath_IsNotTaken()
    {
        // The runtime's default search would find these: loadable libraries, under every name that it tries.
        foreach (string name in (string[])["librdkafka.so", "librdkafka.so.1", "librdkafka", "alpine-librdkafka.so", Build])
        {
            File.Copy(Stranger, Path.Combine(_folder, name));
            NativeLibrary.Free(NativeLibrary.Load(Path.Combine(_folder, name)));
        }

        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add(
            $"{typeof(KafkaLibraryTests).FullName}.{nameof(Load_ClientAndEmbeddedBroker_UseOneLibraryOfTheApplication)}"
        );
        start.Environment["LD_LIBRARY_PATH"] = _folder;
        using Process child = Process.Start(start)!;
        string output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(child.ExitCode == 0, output);
        Assert.Contains("Total: 1, Errors: 0, Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_MissingFile_NamesItThePackageAndWhatToDo()
    {
        string message = Assert.Throws<KafkaLibraryException>(() => KafkaLibrary.Open(["librdkafka.so", Build], [_folder])).Message;

        Assert.Contains($"{_folder}/librdkafka.so: no such file; {_folder}/{Build}: no such file. ", message, StringComparison.Ordinal);
        Assert.Contains("NuGet package librdkafka.redist: restore and build or publish", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData(0, "not a shared library (0 bytes)")]
    [InlineData(63, "not a shared library (63 bytes)")]
    [InlineData(4096, "truncated: 4096 of ")]
    [InlineData(6_000_000, "truncated: 6000000 of ")]
    public void Open_TruncatedFile_IsRefusedBeforeItIsMapped(int length, string reason)
    {
        File.WriteAllBytes(Path.Combine(_folder, Build), File.ReadAllBytes(Real).AsSpan(0, length));

        Assert.Contains(
            $"{_folder}/{Build}: {reason}",
            Assert.Throws<KafkaLibraryException>(() => KafkaLibrary.Open([Build], [_folder])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_OneByteShort_IsRefused()
    {
        byte[] whole = File.ReadAllBytes(Real);
        File.WriteAllBytes(Path.Combine(_folder, Build), whole.AsSpan(0, whole.Length - 1));

        Assert.Contains(
            $"truncated: {whole.Length - 1} of {whole.Length} bytes",
            Assert.Throws<KafkaLibraryException>(() => KafkaLibrary.Open([Build], [_folder])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_ADependencyIsMissing_SaysWhatTheLoaderSaid()
    {
        // The file contains the dependency's name as text.
        byte[] library = File.ReadAllBytes(Real);
        int name = library.AsSpan().IndexOf("libpthread.so.0\0"u8);
        Assert.True(name > 0);
        "libabsent.so.42"u8.CopyTo(library.AsSpan(name));
        File.WriteAllBytes(Path.Combine(_folder, Build), library);

        string message = Assert.Throws<KafkaLibraryException>(() => KafkaLibrary.Open([Build], [_folder])).Message;

        Assert.Contains(
            $"{_folder}/{Build}: libabsent.so.42: cannot open shared object file: No such file or directory.",
            message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_ForAnotherProcessor_SaysWhatTheLoaderSaid()
    {
        byte[] library = File.ReadAllBytes(Real);
        library[0x12] ^= 0x40;
        File.WriteAllBytes(Path.Combine(_folder, Build), library);

        string message = Assert.Throws<KafkaLibraryException>(() => KafkaLibrary.Open([Build], [_folder])).Message;

        Assert.Matches($"{_folder}/{Build}: [a-zA-Z ]*(ELF|open)[^/]*[.] It comes with", message);
    }

    [Fact]
    public void Open_AnotherLibraryUnderItsName_IsRefused()
    {
        File.Copy(Stranger, Path.Combine(_folder, Build));

        Assert.Contains(
            $"{_folder}/{Build}: not librdkafka",
            Assert.Throws<KafkaLibraryException>(() => KafkaLibrary.Open([Build], [_folder])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_OlderThanTheClient_IsRefused()
    {
        Version version = KafkaLibrary.Load().Version;

        Assert.Equal(
            $"version {version} is too old; allowed: {version.Major}.{version.Minor + 1} and later",
            Assert
                .Throws<DllNotFoundException>(() => KafkaLibraryFile.Open(Real, new Version(version.Major, version.Minor + 1, 0, 0)))
                .Message
        );
    }

    [Fact]
    public void Open_FirstBuildUnusable_TakesTheNextAndSaysWhy()
    {
        File.WriteAllText(Path.Combine(_folder, "librdkafka.so"), "half a download");
        File.Copy(Real, Path.Combine(_folder, Build));

        KafkaLibraryFile file = KafkaLibrary.Open(["librdkafka.so", Build], [_folder]);

        Assert.Equal(Path.Combine(_folder, Build), file.Path);
        Assert.Equal($"{_folder}/librdkafka.so: not a shared library (15 bytes)", file.PassedOver);
        NativeLibrary.Free(file.Handle);
        Assert.DoesNotContain(_folder, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    /// <summary>A shared library other than librdkafka.</summary>
    private static string Stranger => Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.Native.so");
}
