using Mesh.Hosting.Processes;
using Mesh.Silo;

if (Platform.Refuse("mesh-silo", OperatingSystem.IsLinux()) is { } refused)
{
    await Console.Error.WriteLineAsync(refused);
    return ExitCode.Refused;
}

return await SiloProgram.RunAsync(args, Environment.GetEnvironmentVariables());
