"""What a teacher does with the course: collect, grade, report."""
