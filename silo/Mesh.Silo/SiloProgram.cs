using System.Collections;
using System.Diagnostics;
using Mesh.Hosting.Files;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;
using Mesh.Silo.Nodes;

namespace Mesh.Silo;

/// <summary>The command <c>mesh-silo</c>: what its arguments ask for, and its exit code.</summary>
internal static class SiloProgram
{
    private const string Name = "mesh-silo";
    private const string Purpose = "mesh-silo: the control plane of Mesh on this machine; it also starts mesh-node, which carries the traffic.";

    public static Task<int> RunAsync(string[] arguments, IDictionary environment)
    {
        var isDebugging = false;
        return LastWords.OrAnswerAsync(Name, () => isDebugging, async () =>
        {
            switch (OptionsParser.Parse(arguments, environment, Environment.MachineName, OptionTable.Silo))
            {
                case OptionsOutcome.Help:
                    Console.WriteLine(HelpText.For(Name, Purpose, OptionTable.Silo));
                    return ExitCode.Done;
                case OptionsOutcome.Version:
                    Console.WriteLine($"{Name} {HelpText.Version}");
                    return ExitCode.Done;
                case OptionsOutcome.Refused refused:
                    return LastWords.Refuse(Name, refused.Line);
                case OptionsOutcome.Stop stop:
                    return await StopCommand.RunAsync(stop.DataDir, Console.Out, TimeProvider.System);
                case OptionsOutcome.Backup backup:
                    return CopyCommand.Backup(backup.DataDir, backup.File, Console.Out);
                case OptionsOutcome.Restore restore:
                    return CopyCommand.Restore(restore.DataDir, restore.File, Console.Out);
                case OptionsOutcome.Run run:
                    isDebugging = run.Options.LogLevel <= LogLevel.Debug;
                    using (var signals = new ShutdownSignals(() => NodeSupervisor.Kill(DataDirectory.Of(run.Options.DataDir))))
                    {
                        return await SiloProcess.RunAsync(run.Options, environment, signals.Requested);
                    }

                default:
                    throw new UnreachableException();
            }
        });
    }
}
