using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Streaming.Core.Ingestion;
using Streaming.Learning.Training;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>Writes files of a checkpoint into a folder, each synced to disk.</summary>
internal sealed class CheckpointWriter(string folder)
{
    private const int BufferBytes = 1 << 20;
    private readonly List<WrittenFile> _files = [];

    /// <summary>Gets the files written so far.</summary>
    public IReadOnlyList<WrittenFile> Files => _files;

    /// <summary>Gets the bytes written so far.</summary>
    public long Bytes => _files.Sum(static file => file.Bytes);

    /// <summary>Writes a checkpoint of one rank.</summary>
    public void Write(TrainerSnapshot trainer, IngestSnapshot? ingest, CheckpointManifest manifest, CancellationToken cancellationToken)
    {
        WriteFile(CheckpointFiles.EngineOf(0, 1), stream => Safetensors.WriteOnce(trainer.Engine, stream, cancellationToken));
        WriteFile(CheckpointFiles.Trainer, stream => Safetensors.WriteOnce(trainer.Trainer, stream, cancellationToken));
        WriteIngest(ingest, 0, 1);
        cancellationToken.ThrowIfCancellationRequested();
        Finish(manifest, _files);
    }

    /// <summary>Writes one rank's share of a checkpoint: rank 0 also writes the trainer's state, of which the others only take the
    /// hashes.</summary>
    /// <returns>Hashes of all that must be equal on the ranks.</returns>
    public ReplicaHashes WriteShare(
        TrainerSnapshot trainer,
        IngestSnapshot? ingest,
        int rank,
        int ranks,
        CancellationToken cancellationToken
    )
    {
        using var engine = new HashedSnapshot(trainer.Engine, HashedSnapshot.IsReplicatedInEngine);
        using var state = new HashedSnapshot(trainer.Trainer, static _ => true);
        WriteFile(CheckpointFiles.EngineOf(rank, ranks), stream => Safetensors.WriteOnce(engine, stream, cancellationToken));
        if (rank == 0)
        {
            WriteFile(CheckpointFiles.Trainer, stream => Safetensors.WriteOnce(state, stream, cancellationToken));
        }
        else
        {
            Safetensors.WriteOnce(state, Stream.Null, cancellationToken);
        }

        WriteIngest(ingest, rank, ranks);
        cancellationToken.ThrowIfCancellationRequested();
        return new ReplicaHashes(engine.Hashes(), state.Hashes());
    }

    /// <summary>Writes what completes a checkpoint: the manifest, and the checksums of all its files.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="others">The files that it consists of besides.</param>
    public void Finish(CheckpointManifest manifest, IEnumerable<WrittenFile> others)
    {
        List<WrittenFile> all = [.. others];
        all.Add(WriteJson(CheckpointFiles.Manifest, manifest));
        var checksums = new StringBuilder();
        foreach (WrittenFile file in all)
        {
            checksums.Append(file.Sha256).Append("  ").Append(file.Name).Append('\n');
        }

        WriteFile(CheckpointFiles.Checksums, stream => stream.Write(Encoding.ASCII.GetBytes(checksums.ToString())));
        DurableFolder.Synchronize(folder);
    }

    /// <summary>Writes a record.</summary>
    public WrittenFile WriteJson<T>(string name, T value) =>
        WriteFile(name, stream => JsonSerializer.Serialize(stream, value, CheckpointJson.Options));

    private void WriteIngest(IngestSnapshot? ingest, int rank, int ranks)
    {
        if (ingest is not null)
        {
            WriteFile(CheckpointFiles.IngestOf(rank, ranks), ingest.WriteTo);
        }
    }

    private WrittenFile WriteFile(string name, Action<Stream> write)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
        using var hash = new HashingStream(file);
        write(hash);
        hash.Flush();
        file.Flush(flushToDisk: true);
        var written = new WrittenFile(name, file.Length, Convert.ToHexStringLower(hash.GetHash()));
        _files.Add(written);
        return written;
    }

    /// <summary>Hashes all bytes written through it.</summary>
    private sealed class HashingStream(Stream inner) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public byte[] GetHash() => _hash.GetHashAndReset();

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(buffer);
            inner.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
