using System.Diagnostics;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;
using Mesh.Storage;

namespace Mesh.Silo;

/// <summary><c>mesh-silo --backup FILE</c> and <c>mesh-silo --restore FILE</c>.</summary>
internal static class CopyCommand
{
    public static int Backup(string dataDir, string file, TextWriter output)
    {
        PrivateFiles.Only();
        var done = DoneOrRefuse("--backup", StoreCopy.Take(dataDir, file));
        output.WriteLine($"{file}: {done.Objects} objects at resourceVersion {done.Version}");
        return ExitCode.Done;
    }

    public static int Restore(string dataDir, string file, TextWriter output)
    {
        PrivateFiles.Only();
        var data = DataDirectory.Open(dataDir);
        using var held = Lock(data);
        var done = DoneOrRefuse("--restore", StoreCopy.Restore(data.FullPath, file));
        output.WriteLine($"{data.At("mesh.db")}: {done.Objects} objects, goes on from resourceVersion {done.Version}");
        if (done.Replaced is { } replaced)
        {
            output.WriteLine($"the store that was there is kept as {replaced}");
        }

        return ExitCode.Done;
    }

    private static DataDirectoryLock Lock(DataDirectory data)
    {
        try
        {
            return DataDirectoryLock.Acquire(data.FullPath);
        }
        catch (DataDirectoryRefusedException refused)
        {
            var way = refused.Reason == DataDirectoryRefusal.Locked ? " Stop it first: mesh-silo --stop --data-dir " + data.FullPath : "";
            throw new StartRefusedException($"--restore: {refused.Message}{way}", refused);
        }
    }

    private static StoreCopyOutcome.Done DoneOrRefuse(string command, StoreCopyOutcome outcome) => outcome switch
    {
        StoreCopyOutcome.Done done => done,
        StoreCopyOutcome.Refused refused => throw new StartRefusedException($"{command}: {refused.Reason}"),
        _ => throw new UnreachableException(),
    };
}
